"""The examples of one adapter: sketches as they were sent, and the photos that they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from service.errors import SupportMismatch, TooManyPairs

PhotoReference: TypeAlias = str | bytes
"""A photo of the gallery by its id, or an uploaded file."""


@dataclass(frozen=True, slots=True)
class SupportLimits:
    """Most pairs, and most uploaded photos, of one adapter."""

    max_pairs: int
    max_photos: int


@dataclass(frozen=True, slots=True)
class Examples:
    """The n-th sketch shows the n-th photo; photos beyond the sketches are further ones of the category."""

    sketches: tuple[bytes, ...]
    photos: tuple[PhotoReference, ...]

    @property
    def further(self) -> tuple[PhotoReference, ...]:
        """Photos without a sketch."""
        return self.photos[len(self.sketches) :]

    @property
    def uploads(self) -> list[tuple[int, bytes]]:
        """(number among `photos`, file) of each uploaded photo."""
        return [(number, photo) for number, photo in enumerate(self.photos) if isinstance(photo, bytes)]


def check_examples(examples: Examples, limits: SupportLimits) -> None:
    """Whether sketches and photos pair up, within the limits. Raises SupportMismatch, TooManyPairs."""
    pairs, photos, uploads = len(examples.sketches), len(examples.photos), len(examples.uploads)
    if pairs > limits.max_pairs:
        raise TooManyPairs(f"there are {pairs} sketches; at most {limits.max_pairs} are accepted")
    if uploads > limits.max_photos:
        raise TooManyPairs(f"there are {uploads} uploaded photos; at most {limits.max_photos} are accepted")
    if not pairs:
        raise SupportMismatch("there is no sketch: send a field 'sketch' (or 'strokes') for each example")
    if photos < pairs:
        raise SupportMismatch(
            f"there are {pairs} sketches and {photos} photos: each sketch needs the 'photo_id' or 'photo' "
            "that it shows, in the same order"
        )
    if any(isinstance(photo, str) for photo in examples.further):
        raise SupportMismatch(
            f"there are {pairs} sketches and {photos} photos: photos beyond the sketches are uploaded ones, "
            "a 'photo_id' without a sketch says nothing"
        )
