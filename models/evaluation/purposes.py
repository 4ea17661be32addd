"""What the sketches of a data set are prepared for, as the service would for a gallery of its photos."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from models.bundle import ANYWHERE, AloneShares, ImageError, Purpose, alone_shares, stands_alone
from models.data.datasets import Photo, PhotoKey
from models.evaluation.encoders import EncoderPair
from models.images import decode_image

_LOOKED_AT_PX = 256  # as thumbnails are, which an index is measured by


def within_category(encoders: EncoderPair, keys: Sequence[PhotoKey], photos: Collection[Photo]) -> list[Purpose]:
    """A purpose for each sketch, by the key of its photo, in a search within its category."""
    alone = _alone(encoders, photos)
    return [Purpose(in_detail=True, alone=alone is not None and alone.holds([key.category])) for key in keys]


def of_category(encoders: EncoderPair, category: str, photos: Collection[Photo]) -> Purpose:
    """Of every sketch in a search within a category, which has these photos."""
    alone = _alone(encoders, photos)
    return Purpose(in_detail=True, alone=alone is not None and alone.holds([category]))


def among_everything(encoders: EncoderPair, photos: Collection[Photo]) -> Purpose:
    """Of every sketch in a search of all photos."""
    alone = _alone(encoders, photos)
    return ANYWHERE if alone is None else Purpose(alone=alone.holds())


def _alone(encoders: EncoderPair, photos: Collection[Photo]) -> AloneShares | None:
    """How many photos show a thing alone; None for encoders that see photos as wide as they are."""
    if not encoders.photo.preprocess.trim:
        return None
    by_category: dict[str, list[Photo]] = {}
    for photo in photos:
        by_category.setdefault(photo.key.category, []).append(photo)
    return alone_shares(tuple(photos), by_category, _is_alone)


def _is_alone(photo: Photo) -> bool:
    try:
        return stands_alone(decode_image(photo.path.read_bytes(), draft_px=_LOOKED_AT_PX).image)
    except (ImageError, OSError):
        return False  # it has no embedding either
