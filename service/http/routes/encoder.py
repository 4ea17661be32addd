"""The sketch encoder, for clients that encode sketches themselves."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Annotated
from urllib.parse import quote

from fastapi import Header, Path, Request
from starlette.responses import Response

from models.bundle import Bundle, BundleCorrupt, name_of_bundle
from service.config import Settings
from service.errors import EncoderWithheld
from service.http.openapi.responses import Responses, ok, picture, problem_responses
from service.http.route import api_router
from service.http.schemas.encoder import ENCODER_EXAMPLE, EncoderDescription, describe_encoder
from service.http.serving import process_of, serving_of
from service.http.tenancy import base_path

router = api_router("search", "search")

BundleId = Annotated[str, Path(description="`bundle_id` of the bundle in service.", examples=["inkseek-3f2a91c07d4e"])]
IfNoneMatch = Annotated[str, Header(description="ETag of a copy that the client has; still good, it is answered 304.")]

_YEAR_S = 365 * 24 * 3600
_NOT_MODIFIED: Responses = {304: {"description": "The client's copy is still good"}}


@router.get(
    "/v1/encoder",
    summary="What it takes to encode a sketch",
    responses=ok("Encoder and preprocessing", ENCODER_EXAMPLE) | problem_responses(),
)
def get_encoder(request: Request) -> EncoderDescription:
    """For clients that send embeddings to `/v1/search:vector`. Gallery by gallery, since it says what they gain from a
    mirrored drawing and where to frame one; the encoder is the same for all."""
    settings = process_of(request).settings
    with serving_of(request) as retriever:
        bundle = retriever.bundle
        mirrored_helps = len(retriever.gallery().view.one_way_rows) > 0
        alone = retriever.index.manifest.alone
    url = f"{base_path(request)}/encoder/{quote(bundle.bundle_id)}.onnx" if _is_given(settings, bundle) else None
    return describe_encoder(bundle, mirrored_helps=mirrored_helps, alone=alone, url=url)


@router.get(
    "/v1/encoder/{bundle_id}.onnx",
    summary="The sketch encoder's file",
    response_class=Response,
    responses=picture("An ONNX model", "application/octet-stream") | _NOT_MODIFIED | problem_responses(EncoderWithheld),
)
def get_encoder_file(request: Request, bundle_id: BundleId, if_none_match: IfNoneMatch = "") -> Response:
    """What lies under one id never changes, so clients keep it for good.

    Whether it is given away is the operator's choice; the encoders that ship with Inkseek are, unless they say no.
    """
    bundle = process_of(request).serving.bundle
    if bundle_id != bundle.bundle_id:
        raise EncoderWithheld(f"the bundle in service is {bundle.bundle_id}, not {bundle_id[:80]}")
    if not _is_given(process_of(request).settings, bundle):
        raise EncoderWithheld("the operator of this service does not give its sketch encoder away")
    name = bundle.manifest.sketch.file
    expected = bundle.manifest.files[name].sha256
    # Whoever runs a service with keys may have a cache in front: a shipped encoder is public, another one is not.
    shared = "public" if _is_shipped(bundle.bundle_id) else "private"
    headers = {"ETag": f'"{expected}"', "Cache-Control": f"{shared}, max-age={_YEAR_S}, immutable"}
    # If-None-Match compares weakly (RFC 9110, section 13.1.2).
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    if headers["ETag"] in known or "*" in known:
        return Response(status_code=304, headers=headers)
    content = (bundle.path / name).read_bytes()
    # It was checked when the service started. A file that was replaced since would stay with clients for a year.
    if hashlib.sha256(content).hexdigest() != expected:
        raise BundleCorrupt(f"{bundle.path / name} was changed since the service started")
    return Response(content, media_type="application/octet-stream", headers=headers)


def _is_given(settings: Settings, bundle: Bundle) -> bool:
    if settings.encoder_download == "shipped":
        return _is_shipped(bundle.bundle_id)
    return settings.encoder_download == "always"


@lru_cache(4)
def _is_shipped(bundle_id: str) -> bool:
    return name_of_bundle(bundle_id) is not None
