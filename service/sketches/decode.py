"""A sketch to pixels, within the service's limits."""

from __future__ import annotations

from PIL import Image

from models.bundle import ImageLimits, ImageUnsupported, Preprocess, StrokeLimits, rasterise_strokes
from service.sketches.sketch import EncodedImage, Sketch
from service.sketches.svg import looks_like_svg, render_svg

_ACCEPTED = "not an image in one of the accepted formats: PNG, JPEG, WebP, GIF, BMP, SVG"
# Photos may be TIFF, sketches never are; and its decoder writes to standard error whatever it finds odd.
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DRAFT_PX = 512  # sketches are reduced to 256 px: a photographed page need not be decoded at full size


def decode_sketch(sketch: Sketch, preprocess: Preprocess, images: ImageLimits, strokes: StrokeLimits) -> Image.Image:
    """RGB or L, upright, first frame, transparency composited on the matte of the encoder's `preprocess`.

    Raises ImageTooLarge, ImageUnsupported, ImageUnreadable, StrokesInvalid.
    """
    if not isinstance(sketch, EncodedImage):
        return rasterise_strokes(sketch.strokes, limits=strokes)
    if looks_like_svg(sketch.data):
        return preprocess.decode(render_svg(sketch.data, images.max_bytes)).image
    if sketch.data.startswith(_TIFF):
        raise ImageUnsupported(_ACCEPTED)
    try:
        return preprocess.decode(sketch.data, images, draft_px=_DRAFT_PX).image
    except ImageUnsupported as error:
        raise ImageUnsupported(_ACCEPTED) from error
