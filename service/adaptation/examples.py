"""Examples as a client gives them: a form of sketches and photos, and what names a category or a profile."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TypeAlias

from service.errors import BatchTooLarge, BodyInvalid, NameInvalid, SupportMismatch, TooManyPairs
from service.http.body import FIELD, Source, Upload, source_from_bytes
from service.http.multipart import parse_multipart
from service.http.schemas.search import NAME_CHARACTERS
from service.store.records import AdapterTarget, Scope

STROKES_FIELD, ID_FIELD, PHOTO_FIELD = "strokes", "photo_id", "photo"

PhotoGiven: TypeAlias = str | bytes
"""A photo of the gallery by its id, or an uploaded file."""


@dataclass(frozen=True, slots=True)
class SupportLimits:
    """Most pairs, and most uploaded photos, in one request."""

    max_pairs: int
    max_photos: int


@dataclass(frozen=True, slots=True)
class Examples:
    """The n-th sketch shows the n-th photo; photos beyond the sketches are further ones of the category."""

    sketches: tuple[bytes, ...]
    photos: tuple[PhotoGiven, ...]

    @property
    def further(self) -> tuple[PhotoGiven, ...]:
        """Photos without a sketch."""
        return self.photos[len(self.sketches) :]


def adapter_target(scope: Scope, name: str) -> AdapterTarget:
    """What an adapter is for. Raises NameInvalid for text that cannot name a category or a profile."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise NameInvalid(f"the name of a {scope} has to be valid text") from None
    name = unicodedata.normalize("NFC", name)
    if not 0 < len(name) <= NAME_CHARACTERS or name != name.strip():
        raise NameInvalid(
            f"the name of a {scope} has 1 to {NAME_CHARACTERS} characters, and no space before or after it"
        )
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise NameInvalid(f"the name of a {scope} has no control characters")
    return AdapterTarget(scope, name)


def read_examples(upload: Upload, limits: SupportLimits) -> Examples:
    """The examples of a form. Raises BodyInvalid, SupportMismatch, TooManyPairs."""
    if not upload.is_multipart:
        raise BodyInvalid(
            f"examples are a multipart form: {FIELD!r} for each sketch, and as many {ID_FIELD!r} or {PHOTO_FIELD!r}"
        )
    most = 2 * limits.max_pairs + limits.max_photos
    try:
        parts = parse_multipart(upload.body, upload.content_type, most)
    except BatchTooLarge as error:
        raise TooManyPairs(f"{error}: {limits.max_pairs} pairs and {limits.max_photos} uploads are accepted") from error
    sketches: list[bytes] = []
    photos: list[PhotoGiven] = []
    for part in parts:
        if part.name == FIELD:
            sketches.append(part.data)
        elif part.name == STROKES_FIELD:
            sketches.append(_as_document(part.data))
        elif part.name == ID_FIELD:
            photos.append(part.data.decode("utf-8", "replace"))
        elif part.name == PHOTO_FIELD:
            photos.append(part.data)
        else:
            known = ", ".join((FIELD, STROKES_FIELD, ID_FIELD, PHOTO_FIELD))
            raise BodyInvalid(f"the form has a field {part.name[:80]!r}: examples are made of {known}")
    examples = Examples(tuple(sketches), tuple(photos))
    check_examples(examples, limits)
    return examples


def check_examples(examples: Examples, limits: SupportLimits) -> None:
    """Raises SupportMismatch, TooManyPairs."""
    pairs, photos = len(examples.sketches), len(examples.photos)
    uploads = sum(isinstance(photo, bytes) for photo in examples.photos)
    if pairs > limits.max_pairs:
        raise TooManyPairs(f"there are {pairs} sketches; at most {limits.max_pairs} are accepted")
    if uploads > limits.max_photos:
        raise TooManyPairs(f"there are {uploads} uploaded photos; at most {limits.max_photos} are accepted")
    if not pairs:
        raise SupportMismatch(f"there is no sketch: send a field {FIELD!r} (or {STROKES_FIELD!r}) for each example")
    if photos < pairs:
        raise SupportMismatch(
            f"there are {pairs} sketches and {photos} photos: each sketch needs the {ID_FIELD!r} or {PHOTO_FIELD!r} "
            "that it shows, in the same order"
        )
    if any(isinstance(photo, str) for photo in examples.further):
        raise SupportMismatch(
            f"there are {pairs} sketches and {photos} photos: photos beyond the sketches are uploaded ones, "
            f"a {ID_FIELD!r} without a sketch says nothing"
        )


def sketch_source(data: bytes) -> Source:
    """A stored or sent sketch, as an image or as strokes. Raises BodyInvalid."""
    return source_from_bytes(data)


def _as_document(data: bytes) -> bytes:
    """Strokes may come bare, without the object around them."""
    return b'{"strokes": ' + data + b"}" if data.lstrip()[:1] == b"[" else data
