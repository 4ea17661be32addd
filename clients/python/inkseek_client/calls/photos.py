"""Calls about photos, categories, galleries, and changes of them one by one and in bulk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from inkseek_client.call import Call, form_of, nothing, query, quoted, reads
from inkseek_client.calls.search import Names
from inkseek_client.inputs import Change, Delete, Upload, described, read_file
from inkseek_client.schemas.gallery import Categories, Galleries, Photo, Photos
from inkseek_client.schemas.jobs import Job

PhotoField = Literal["photo_id", "category", "width", "height", "sha256", "metadata", "thumbnail_url", "image_url"]


class Listing(TypedDict, total=False):
    """Which photos are listed, and which fields of each; `text`: words that they have, as in a search."""

    category: Names
    filter: Names
    text: str
    fields: Sequence[PhotoField]


def page(limit: int, cursor: str | None, options: Listing) -> Call[Photos]:
    """GET /v1/photos; `limit` is 1 to 1000."""
    return Call("GET", "/v1/photos", reads(Photos), params=query(limit=limit, cursor=cursor, **options))


def record(photo_id: str) -> Call[Photo]:
    """GET /v1/photos/{photo_id}."""
    return Call("GET", _path(photo_id), reads(Photo), params=query(view="record"))


def picture(photo_id: str, view: Literal["thumbnail", "image"]) -> Call[bytes]:
    """GET /v1/photos/{photo_id} with `view`."""
    return Call("GET", _path(photo_id), bytes, params=query(view=view))


def put(upload: Upload) -> Call[Photo]:
    """PUT /v1/photos/{photo_id}. Raises OSError."""
    fields: dict[str, bytes | str] = {"photo": read_file(upload.file)}
    sent = described(upload.category, upload.metadata)
    if "metadata" in sent:
        sent["metadata"] = json.dumps(sent["metadata"])
    return Call("PUT", _path(upload.photo_id), reads(Photo), form=form_of({**fields, **sent}))


def describe(photo_id: str, category: str | None, metadata: Mapping[str, Any] | None) -> Call[Photo]:
    """PATCH /v1/photos/{photo_id}, which is idempotent: a merge patch."""
    body = json.dumps(described(category, metadata)).encode()
    return Call("PATCH", _path(photo_id), reads(Photo), content=body, content_type="application/merge-patch+json")


def delete(photo_id: str) -> Call[None]:
    """DELETE /v1/photos/{photo_id}."""
    return Call("DELETE", _path(photo_id), nothing)


def change(changes: Iterable[Change]) -> Call[Job]:
    """POST /v1/photos:batch. Raises OSError."""
    items: list[dict[str, Any]] = []
    files: dict[str, bytes | str] = {}
    for number, one in enumerate(changes):
        item: dict[str, Any] = {"photo_id": one.photo_id}
        if isinstance(one, Delete):
            item["delete"] = True
        else:
            item |= described(one.category, one.metadata)
        if isinstance(one, Upload):
            item["file"] = f"file-{number}"
            files[item["file"]] = read_file(one.file)
        items.append(item)
    form = form_of({"items": json.dumps(items), **files})
    return Call("POST", "/v1/photos:batch", reads(Job), form=form, idempotent=False)


def categories() -> Call[Categories]:
    """GET /v1/categories."""
    return Call("GET", "/v1/categories", reads(Categories))


def galleries() -> Call[Galleries]:
    """GET /v1/galleries."""
    return Call("GET", "/v1/galleries", reads(Galleries), of_gallery=False)


def _path(photo_id: str) -> str:
    return f"/v1/photos/{quoted(photo_id)}"
