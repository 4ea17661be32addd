"""One photo from its file to what the encoder and the index need."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index_builder.artifact.photo_store import Thumbnail
from index_builder.artifact.thumbnails import THUMBNAIL_PX, make_thumbnail
from index_builder.report import SkipReason
from index_builder.sources.folder import GalleryPhoto
from models.bundle import Encoder, ImageLimits, ImageTooLarge, ImageUnreadable, ImageUnsupported, decode_image


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What the index stores of a photo beside its vector; `width` and `height` of the upright file in pixels."""

    photo: GalleryPhoto
    sha256: str
    width: int
    height: int
    frames: int
    thumbnail: Thumbnail


@dataclass(frozen=True, slots=True)
class ReadPhoto:
    """A photo decoded, with its preprocessed pixels (3, H, W)."""

    facts: PhotoFacts
    pixels: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A photo that cannot be indexed, and why."""

    photo: GalleryPhoto
    reason: SkipReason
    detail: str


def read_photo(root: Path, photo: GalleryPhoto, encoder: Encoder, limits: ImageLimits) -> ReadPhoto | Rejected:
    """Read, hash, decode and preprocess one photo; whatever is wrong with it is an answer, not an exception."""
    path = root / photo.path
    try:
        size = path.stat().st_size
        if size == 0:
            return Rejected(photo, "empty", "the file has zero bytes")
        if size > limits.max_bytes:  # before it is read: it may be larger than the memory
            return Rejected(photo, "too_large", f"{size:,} bytes; at most {limits.max_bytes:,} are read")
        data = path.read_bytes()
        # A JPEG is decoded at the smallest scale that still feeds both the encoder and the thumbnail.
        decoded = decode_image(data, limits, draft_px=max(THUMBNAIL_PX, encoder.preprocess.size_px))
        facts = PhotoFacts(
            photo=photo,
            sha256=hashlib.sha256(data).hexdigest(),
            width=decoded.width,
            height=decoded.height,
            frames=decoded.frames,
            thumbnail=make_thumbnail(decoded.image),
        )
        return ReadPhoto(facts, encoder.prepare(decoded.image))
    except ImageTooLarge as error:
        return Rejected(photo, "too_large", str(error))
    except ImageUnsupported as error:
        return Rejected(photo, "not_an_image", str(error))
    except ImageUnreadable as error:
        return Rejected(photo, "unreadable", str(error))
    except FileNotFoundError:
        return Rejected(photo, "missing", "the file went away while the index was built")
    except OSError as error:
        return Rejected(photo, "unreadable", error.strerror or str(error))
