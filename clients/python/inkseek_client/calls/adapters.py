"""Calls about adapters, profiles and feedback."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict
from urllib.parse import quote

from inkseek_client.call import Call, FormField, nothing, query, quoted, reads
from inkseek_client.calls.search import Frame
from inkseek_client.inputs import Pair, PhotoReference, Profile, Sketch, Target, body_type, photo_field, read_sketch
from inkseek_client.schemas.adapters import (
    ActiveAdapterId,
    Adapter,
    Adapters,
    Feedback,
    FeedbackList,
    Profiles,
)
from inkseek_client.schemas.jobs import Job


class FitOptions(TypedDict, total=False):
    """`force` activates the adapter even where no gain is expected; `dry_run` only reports how good it would be."""

    force: bool
    dry_run: bool
    frame: Frame


def fit(target: Target, pairs: Iterable[Pair], photos: Iterable[PhotoReference], options: FitOptions) -> Call[Adapter]:
    """POST …/adapters with the pairs in order; `photos` join a category without a drawing. Raises OSError."""
    form = (*_form(pairs), *map(_photo, photos))
    idempotent = options.get("dry_run", False)
    return Call("POST", _path(target), reads(Adapter), params=query(**options), form=form, idempotent=idempotent)


def fit_deep(category: str, pairs: Iterable[Pair], options: FitOptions) -> Call[Job]:
    """POST …/adapters with depth=deep. Raises OSError."""
    params = query(depth="deep", **options)
    return Call("POST", _path(category), reads(Job), params=params, form=_form(pairs), idempotent=False)


def listing(target: Target) -> Call[Adapters]:
    """GET …/adapters."""
    return Call("GET", _path(target), reads(Adapters))


def show(target: Target, adapter_id: str) -> Call[Adapter]:
    """GET …/adapters/{adapter_id}."""
    return Call("GET", _path(target, adapter_id), reads(Adapter))


def activate(target: Target, adapter_id: str) -> Call[Adapter]:
    """POST …/adapters/{adapter_id}:activate; activating twice changes nothing."""
    return Call("POST", f"{_path(target, adapter_id)}:activate", reads(Adapter))


def rollback(target: Target) -> Call[ActiveAdapterId]:
    """POST …/adapters:rollback; twice goes back twice."""
    return Call("POST", f"{_path(target)}:rollback", reads(ActiveAdapterId), idempotent=False)


def delete(target: Target, adapter_id: str, photos: bool) -> Call[None]:
    """DELETE …/adapters/{adapter_id}."""
    return Call("DELETE", _path(target, adapter_id), nothing, params=query(photos=photos))


def profiles() -> Call[Profiles]:
    """GET /v1/profiles."""
    return Call("GET", "/v1/profiles", reads(Profiles))


def add_feedback(sketch: Sketch, photo_id: str) -> Call[Feedback]:
    """POST /v1/feedback. Raises OSError."""
    body, params = read_sketch(sketch), query(photo_id=photo_id)
    kind = body_type(body)
    return Call(
        "POST", "/v1/feedback", reads(Feedback), params=params, content=body, content_type=kind, idempotent=False
    )


def feedback(category: str | None) -> Call[FeedbackList]:
    """GET /v1/feedback."""
    return Call("GET", "/v1/feedback", reads(FeedbackList), params=query(category=category))


def clear_feedback(category: str | None) -> Call[None]:
    """DELETE /v1/feedback."""
    return Call("DELETE", "/v1/feedback", nothing, params=query(category=category))


def delete_feedback(feedback_id: str) -> Call[None]:
    """DELETE /v1/feedback/{feedback_id}."""
    return Call("DELETE", f"/v1/feedback/{quote(feedback_id, safe='')}", nothing)


def _form(pairs: Iterable[Pair]) -> tuple[FormField, ...]:
    form: list[FormField] = []
    for sketch, photo in pairs:
        form += [("sketch", ("sketch", read_sketch(sketch))), _photo(photo)]
    return tuple(form)


def _photo(photo: PhotoReference) -> FormField:
    name, content = photo_field(photo)
    return (name, ("photo", content) if isinstance(content, bytes) else (None, content.encode()))


def _path(target: Target, adapter_id: str | None = None) -> str:
    if isinstance(target, Profile):
        path = f"/v1/profiles/{quote(target.name, safe='')}/adapters"
    else:
        path = f"/v1/categories/{quoted(target)}/adapters"
    return path if adapter_id is None else f"{path}/{quote(adapter_id, safe='')}"
