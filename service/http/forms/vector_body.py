"""A request body with the embedding of a sketch, JSON or bytes, and the parameters that either comes with.

{"bundle": "...", "vector": [0.01, ...], "mirrored": [...], "k": 5}       both may be base64 of float16 instead
application/octet-stream: float16 or float32, little-endian, of the drawing and then maybe of its mirror image
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
import numpy as np
from fastapi.exceptions import RequestValidationError
from msgspec import UNSET, Struct, UnsetType
from pydantic import ValidationError

from service.errors import BodyInvalid, ParameterInvalid, VectorInvalid
from service.http.forms.body import Upload
from service.http.schemas.search import VectorParams
from service.search.vectors import Numbers, SketchVectors
from service.sketches.json_faults import fault_of
from service.sketches.json_forms import json_in_utf8

MOST_BYTES = 2**20
"""Of such a body: two vectors of ten thousand numbers in JSON are half of it."""

_BYTES = "application/octet-stream"
_DTYPES: dict[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}


class _VectorBody(Struct, forbid_unknown_fields=True):
    bundle: str
    vector: list[float] | str
    mirrored: list[float] | str | None = None
    k: int | float | UnsetType = UNSET  # 5.0 is a whole number, too
    category: list[str] | str | UnsetType = UNSET
    filter: list[str] | str | UnsetType = UNSET
    min_score: float | UnsetType | None = UNSET
    exact: bool | UnsetType = UNSET
    group_duplicates: bool | UnsetType = UNSET
    adapt: bool | UnsetType = UNSET
    profile: str | UnsetType | None = UNSET
    focus: str | UnsetType | None = UNSET
    mirror: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    cursor: str | UnsetType | None = UNSET

    def parameters(self) -> dict[str, Any]:
        """Those that were sent, as the query string would have them."""
        sent = {name: getattr(self, name) for name in _PARAMETERS if getattr(self, name) is not UNSET}
        return {name: [value] if name in _LISTS and isinstance(value, str) else value for name, value in sent.items()}


_PARAMETERS = tuple(name for name in _VectorBody.__struct_fields__ if name not in ("bundle", "vector", "mirrored"))
_LISTS = ("category", "filter")
_decoder = msgspec.json.Decoder(_VectorBody)


def read_vectors(upload: Upload, params: VectorParams) -> tuple[SketchVectors, VectorParams]:
    """What was sent, its numbers not checked yet, and the parameters; those of the body go before the query's.

    Raises BodyInvalid, VectorInvalid, ParameterInvalid, RequestValidationError.
    """
    # Any bytes may be numbers: here the header has to be believed.
    if upload.content_type.partition(";")[0].strip().lower() == _BYTES:
        return _from_bytes(upload.body, params), params
    body = _decoded(upload.body)
    sent = body.parameters()
    mirrored = None if body.mirrored is None else _numbers("mirrored", body.mirrored)
    return SketchVectors(body.bundle, _numbers("vector", body.vector), mirrored), _merged(params, sent)


def _merged(params: VectorParams, sent: dict[str, Any]) -> VectorParams:
    if not sent:
        return params
    try:
        return VectorParams.model_validate(params.model_dump(include=params.model_fields_set) | sent)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from error


def _from_bytes(body: bytes, params: VectorParams) -> SketchVectors:
    if params.bundle is None:
        raise ParameterInvalid(
            "bundle: it is missing; `bundle_id` of /v1/encoder is expected", [("query.bundle", "it is missing")]
        )
    dtype = _DTYPES[params.dtype]
    if not body or len(body) % dtype.itemsize:
        raise VectorInvalid(f"the body has {len(body)} bytes, which are no numbers in {params.dtype}")
    return SketchVectors(params.bundle, np.frombuffer(body, dtype), joined=True)


def _numbers(name: str, sent: list[float] | str) -> Numbers:
    if not isinstance(sent, str):
        return np.array(sent, np.float64)
    try:
        data = base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VectorInvalid(f"{name}: a list of numbers is expected, or base64: {error}") from error
    if not data or len(data) % 2:
        raise VectorInvalid(f"{name}: {len(data)} bytes are no numbers in float16")
    return np.frombuffer(data, "<f2")


def _decoded(data: bytes) -> _VectorBody:
    try:
        return _decoder.decode(json_in_utf8(data))
    except msgspec.ValidationError as error:
        where, what = fault_of(error)
        where = where.removeprefix(".")
        raise BodyInvalid(f"{where or 'the body'}: {what}", [(where, what)] if where else []) from error
    except msgspec.DecodeError as error:
        raise BodyInvalid(f"the body is not JSON: {error}; numbers as bytes are sent as {_BYTES}") from error
    except RecursionError as error:
        raise BodyInvalid("the JSON is nested too deeply") from error
