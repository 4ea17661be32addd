"""The photos of examples: looked up in the gallery or among the uploads, and checked against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index_builder.artifact import PhotoNotFound
from models.arrays import Vectors
from service.adaptation.encoding import EncodedSketch
from service.adaptation.examples import Examples
from service.errors import PairContradictory, PairDuplicate, PhotoElsewhere, SupportOnePhoto, UnknownPhoto
from service.search.gallery import Gallery
from service.store.records import AdapterTarget, NewPhoto


@dataclass(frozen=True, slots=True)
class SupportPhoto:
    """A photo of the examples: its id, its unit embedding (E,), and its row; None for one that comes with them."""

    photo_id: str
    vector: Vectors
    row: int | None


def resolve_photos(
    gallery: Gallery, target: AdapterTarget, examples: Examples, uploads: Mapping[int, NewPhoto]
) -> tuple[tuple[NewPhoto, ...], list[SupportPhoto]]:
    """The photos that the gallery lacks, and every photo of the examples in order.

    `uploads`: the encoded photos by their number among `examples.photos`. An upload with the bytes of an indexed photo
    of the category is that photo. Raises UnknownPhoto, PhotoElsewhere.
    """
    new: dict[str, NewPhoto] = {}
    resolved = []
    for number, reference in enumerate(examples.photos):
        if isinstance(reference, str):
            resolved.append(_indexed(gallery, reference, row_of(gallery, target, reference, number)))
            continue
        photo = uploads[number].photo
        twin = gallery.view.index.photo_with_bytes(photo.sha256, target.name)
        if twin is not None:
            resolved.append(_indexed(gallery, twin.photo_id, row_of(gallery, target, twin.photo_id, number)))
            continue
        # One that is stored without a vector by this bundle counts as new: storing it again adds the vector.
        is_new = not gallery.view.has_upload(photo.photo_id)
        if is_new:
            new.setdefault(photo.photo_id, uploads[number])
        assert photo.vector is not None
        row = None if is_new else gallery.view.row(photo.photo_id)
        resolved.append(SupportPhoto(photo.photo_id, photo.vector, row))
    return tuple(new.values()), resolved


def row_of(gallery: Gallery, target: AdapterTarget, photo_id: str, number: int) -> int:
    """The row of the photo of example `number` (from 0). Raises UnknownPhoto, PhotoElsewhere."""
    where = [(f"photo_id.{number}", photo_id)]
    try:
        photo = gallery.view.photo(photo_id)
        row = gallery.view.row(photo_id)
    except PhotoNotFound as error:
        raise UnknownPhoto(f"example {number + 1}: {error}", where) from error
    if target.scope == "category" and photo.category != target.name:
        actual = f"of category {photo.category!r}" if photo.category else "of no category"
        raise PhotoElsewhere(f"example {number + 1}: photo {photo_id!r} is {actual}, not of {target.name!r}", where)
    return row


def reject_contradictions(sketches: Sequence[EncodedSketch], photos: Sequence[SupportPhoto]) -> None:
    """Raises PairDuplicate, PairContradictory, SupportOnePhoto for examples that cannot be fitted to."""
    first: dict[bytes, int] = {}
    for number, (sketch, photo) in enumerate(zip(sketches, photos, strict=True)):
        earlier = first.setdefault(sketch.digest, number)
        if earlier == number:
            continue
        where = [(f"sketch.{earlier}", "the same drawing"), (f"sketch.{number}", "the same drawing")]
        both = f"examples {earlier + 1} and {number + 1}"
        if photos[earlier].photo_id == photo.photo_id:
            raise PairDuplicate(f"{both} are the same drawing of the same photo", where)
        raise PairContradictory(f"{both} are the same drawing of two photos", where)
    if len(photos) > 1 and len({photo.photo_id for photo in photos}) == 1:
        raise SupportOnePhoto(f"all {len(photos)} sketches show photo {photos[0].photo_id!r}")


def _indexed(gallery: Gallery, photo_id: str, row: int) -> SupportPhoto:
    return SupportPhoto(photo_id, gallery.view.vectors(np.array([row]))[0], row)
