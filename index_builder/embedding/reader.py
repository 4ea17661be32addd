"""One photo from its source's bytes to the facts that the index stores, or to the reason why it is skipped."""

from __future__ import annotations

import hashlib
import os

import numpy as np
from PIL import Image

from index_builder.artifact.photos.thumbnails import make_thumbnail
from index_builder.embedding.base import PhotoFacts
from index_builder.files.store import ObjectChanged
from index_builder.report import Skipped, SkipReason
from index_builder.sources.base import PhotoSource, SourcePhoto
from models.bundle import ImageError, ImageTooLarge, ImageUnreadable, ImageUnsupported, ReadImage


class PhotoEmpty(ImageUnreadable):
    """The photo's file has zero bytes; the report names that apart from damage."""


def read_bytes(source: PhotoSource, photo: SourcePhoto, max_bytes: int) -> bytes:
    """The photo's bytes. A file beyond `max_bytes` is rejected before it is read: it may be larger than the memory.

    Raises PhotoEmpty, ImageTooLarge, OSError.
    """
    with source.open(photo) as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            raise PhotoEmpty("the file has zero bytes")
        if size > max_bytes:
            raise ImageTooLarge(f"{size:,} bytes; at most {max_bytes:,} are read")
        file.seek(0)
        # No more room than the file needs is reserved for it: that of the limit costs a call to the kernel each time.
        # A file that grows meanwhile is cut off beyond the limit and then rejected by the decoder.
        data = file.read(size + 1)
        return data if len(data) <= size else data + file.read(max_bytes - size)


def facts_of(image: ReadImage) -> PhotoFacts:
    """Hash, size and thumbnail of a photo that was just read."""
    return PhotoFacts(
        sha256=hashlib.sha256(image.file).hexdigest(),
        width=image.decoded.width,
        height=image.decoded.height,
        frames=image.decoded.frames,
        thumbnail=make_thumbnail(image.decoded.image, image.file),
        repairs=image.decoded.repairs,
        blank=_is_blank(image.decoded.image),
    )


def _is_blank(image: Image.Image) -> bool:
    # A few pixels tell nearly every picture; only one whose few are even is looked at in whole.
    return _is_even(image.resize((8, 8), Image.Resampling.NEAREST)) and _is_even(image)


def _is_even(image: Image.Image) -> bool:
    # Compression moves a level by one or two.
    extrema = np.reshape(image.getextrema(), (-1, 2)).tolist()
    return all(highest - lowest <= 2 for lowest, highest in extrema)


def skipped(photo: SourcePhoto, error: ImageError | OSError) -> Skipped:
    """The report's entry for a photo that could not be read."""
    if isinstance(error, FileNotFoundError):
        return Skipped("missing", photo.path, "the file went away while the index was built", photo.photo_id)
    if isinstance(error, ObjectChanged):
        return Skipped("changed", photo.path, "it changed while it was read; an update reads it", photo.photo_id)
    if isinstance(error, OSError):
        return Skipped("unreadable", photo.path, error.strerror or str(error), photo.photo_id)
    return Skipped(_reason_of(error), photo.path, str(error), photo.photo_id)


def _reason_of(error: ImageError) -> SkipReason:
    reasons: dict[type[ImageError], SkipReason] = {
        PhotoEmpty: "empty",
        ImageTooLarge: "too_large",
        ImageUnsupported: "not_an_image",
    }
    return reasons.get(type(error), "unreadable")
