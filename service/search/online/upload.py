"""An uploaded photo, to what the store keeps of it. Blocking; a call is one job of a worker thread."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from index_builder.artifact import THUMBNAIL_PX, MetadataValue, make_thumbnail
from models.bundle import Bundle, ImageUnreadable
from models.sandbox import SandboxBusy
from service.errors import QueueFull
from service.sketches.decode import SketchDecoder
from service.store.records import NewPhoto, OnlinePhoto

_UNIT_TOLERANCE = 1e-3


def embedded_photo(
    bundle: Bundle,
    decoder: SketchDecoder,
    photo_id: str,
    category: str,
    data: bytes,
    metadata: Mapping[str, MetadataValue] | None = None,
) -> NewPhoto:
    """The photo as the index builder would have it. Raises ImageError, QueueFull."""
    encoder = bundle.photo
    try:
        # Decoded once for thumbnail and encoder: a JPEG is reduced no further than the larger of the two allows.
        read = encoder.read(data, decoder.images, draft_px=max(THUMBNAIL_PX, encoder.preprocess.size_px))
    except SandboxBusy as error:
        raise QueueFull(str(error)) from error
    vector = encoder.encode(read.pixels[None])[0]
    if not abs(float(np.linalg.norm(vector)) - 1.0) < _UNIT_TOLERANCE:  # NaN fails too
        raise ImageUnreadable("the encoder has no embedding for it")
    size = read.decoded.width, read.decoded.height
    photo = OnlinePhoto(photo_id, category, hashlib.sha256(data).hexdigest(), *size, vector, metadata or {})
    return NewPhoto(photo, make_thumbnail(read.decoded.image), data)
