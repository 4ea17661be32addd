"""What Schemathesis is taught for this service; it loads this module itself."""

from __future__ import annotations

from typing import Any

import schemathesis

_BUNDLE_OF_BYTES = [("query.bundle", "it is missing")]  # a parameter that one of two kinds of body needs
_OF_KEYS = {"expires_at", "rate_limit", "change_limit"}  # a moment to come, and limits in the words of their library
_ACCEPTED = {200, 201, 202, 204, 401, 403, 404, 409, 429, 431, 503}
# A schema says what a request looks like. Whether bytes are an image, lines a drawing, examples pairs, and whether what
# a request names is in the gallery, the service alone can say; each of these says it in its code.
_OF_CONTENT = {
    "batch_too_large",
    "body_too_large",
    "cursor_invalid",
    "filter_invalid",
    "image_too_large",
    "image_unreadable",
    "image_unsupported",
    "metadata_invalid",
    "pair_contradictory",
    "pair_duplicate",
    "photo_elsewhere",
    "sketch_empty",
    "sketch_solid",
    "strokes_invalid",
    "support_mismatch",
    "support_one_photo",
    "too_many_pairs",
    "unknown_category",
    "unknown_photo",
    "unknown_profile",
    "vector_invalid",
}


@schemathesis.check
def valid_is_accepted(ctx: Any, response: Any, case: Any) -> None:
    """What fits the document is accepted, unless for what no document can say."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code in _ACCEPTED:
        return
    problem = response.json()
    code = problem.get("code")
    if code == "body_invalid" and str(case.media_type).startswith(("multipart/", "image/")):
        return  # a field of a form is text or bytes for the document, and JSON for the service; an image is any bytes
    faults = [(fault["where"], fault["what"]) for fault in problem.get("errors", [])]
    if faults == _BUNDLE_OF_BYTES or (faults and {where for where, _ in faults} <= _OF_KEYS):
        return
    assert code in _OF_CONTENT, f"it fits the document and was rejected: {code}, {problem.get('detail')}"


@schemathesis.serializer("application/xml", "text/xml")
def as_it_is(ctx: Any, value: Any) -> Any:
    """The one kind of XML here is SVG, sent as it is; Schemathesis would put it into an element of its own."""
    return value if isinstance(value, bytes) else str(value).encode()
