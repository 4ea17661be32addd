"""A sketch as the client gave it -> pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle import ImageLimits, ImageUnsupported, StrokeLimits, StrokesInvalid, decode_image, rasterise_strokes
from service.http.body import EncodedImage, Source
from service.http.schemas.search import PointStroke
from service.search.svg import looks_like_svg, render_svg

_ACCEPTED = "not an image in one of the accepted formats: PNG, JPEG, WebP, GIF, BMP, SVG"
# Photos may be TIFF, sketches never are; and its decoder writes to standard error whatever it finds odd.
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DRAFT_PX = 512  # sketches are reduced to 256 px: a photographed page need not be decoded at full size


def decode_sketch(source: Source, images: ImageLimits, strokes: StrokeLimits) -> Image.Image:
    """RGB or L, upright, first frame, transparency composited so that its lines stay visible.

    Raises ImageTooLarge, ImageUnsupported, ImageUnreadable, StrokesInvalid.
    """
    if isinstance(source, EncodedImage):
        if looks_like_svg(source.data):
            return decode_image(render_svg(source.data, images.max_bytes), matte="contrast").image
        if source.data.startswith(_TIFF):
            raise ImageUnsupported(_ACCEPTED)
        try:
            return decode_image(source.data, images, draft_px=_DRAFT_PX, matte="contrast").image
        except ImageUnsupported as error:
            raise ImageUnsupported(_ACCEPTED) from error
    return rasterise_strokes([_points(n, stroke) for n, stroke in enumerate(source.strokes)], limits=strokes)


def _points(number: int, stroke: list[list[float]] | PointStroke) -> NDArray[np.float64]:
    """One stroke of either form -> (P, 2). Raises StrokesInvalid."""
    if isinstance(stroke, PointStroke):
        return np.array([(point.x, point.y) for point in stroke.points], dtype=np.float64)
    if len({len(row) for row in stroke}) != 1:
        raise StrokesInvalid(
            f"stroke {number} has rows of {', '.join(str(len(row)) for row in stroke)} numbers: equal is expected"
        )
    return np.array(stroke[:2], dtype=np.float64).T
