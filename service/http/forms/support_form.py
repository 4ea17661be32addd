"""The form of a request that adapts, to examples: a `sketch` or `strokes` for each, and its `photo_id` or `photo`."""

from __future__ import annotations

from service.adaptation.examples import Examples, PhotoReference, SupportLimits
from service.errors import BatchTooLarge, BodyInvalid, TooManyPairs
from service.http.forms.body import SKETCH_FIELD, Upload
from service.http.forms.multipart import parse_multipart

STROKES_FIELD, ID_FIELD, PHOTO_FIELD = "strokes", "photo_id", "photo"


def read_examples(upload: Upload, limits: SupportLimits) -> Examples:
    """The examples of a form, not yet checked to pair up. Raises BodyInvalid, TooManyPairs."""
    if not upload.is_multipart:
        raise BodyInvalid(
            f"examples are a multipart form: {SKETCH_FIELD!r} for each sketch, and as many {ID_FIELD!r} or "
            f"{PHOTO_FIELD!r}"
        )
    most = 2 * limits.max_pairs + limits.max_photos
    try:
        parts = parse_multipart(upload.body, upload.content_type, most)
    except BatchTooLarge as error:
        raise TooManyPairs(f"{error}: {limits.max_pairs} pairs and {limits.max_photos} uploads are accepted") from error
    sketches: list[bytes] = []
    photos: list[PhotoReference] = []
    for part in parts:
        if part.name == SKETCH_FIELD:
            sketches.append(part.data)
        elif part.name == STROKES_FIELD:
            sketches.append(_as_document(part.data))
        elif part.name == ID_FIELD:
            # Broken bytes name no photo, and are answered as any other id that does not.
            photos.append(part.data.decode("utf-8", "replace"))
        elif part.name == PHOTO_FIELD:
            photos.append(part.data)
        else:
            known = ", ".join((SKETCH_FIELD, STROKES_FIELD, ID_FIELD, PHOTO_FIELD))
            raise BodyInvalid(f"the form has a field {part.name[:80]!r}: examples are made of {known}")
    return Examples(tuple(sketches), tuple(photos))


def _as_document(data: bytes) -> bytes:
    """Strokes may come bare, without the object around them."""
    return b'{"strokes": ' + data + b"}" if data.lstrip()[:1] == b"[" else data
