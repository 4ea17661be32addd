"""A sketch to pixels, within the service's limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from PIL import Image

from models.bundle import (
    DecodedImage,
    ImageLimits,
    ImageUnsupported,
    Preprocess,
    StrokeLimits,
    rasterise_strokes,
)
from models.images import SKETCH_FORMATS, decodes_quickly, format_of
from models.sandbox import Sandbox, SandboxBusy
from service.errors import QueueFull
from service.sketches.sketch import EncodedImage, Sketch
from service.sketches.svg.rendering import render_svg, svg_sandbox
from service.sketches.svg.text import looks_like_svg

_ACCEPTED = "not an image in one of the accepted formats: PNG, JPEG, WebP, GIF, BMP, SVG"
_DRAFT_PX = 512  # sketches are reduced to 256 px: a photographed page need not be decoded at full size


@dataclass(frozen=True)
class SketchDecoder:
    """Limits of sketches, and the processes that decode those whose formats are not trusted. Threads share it."""

    images: ImageLimits = field(default_factory=ImageLimits)
    strokes: StrokeLimits = field(default_factory=StrokeLimits)
    svg: Sandbox = field(default_factory=svg_sandbox, compare=False)

    def decode(self, sketch: Sketch, preprocess: Preprocess) -> Image.Image:
        """RGB or L, upright, first frame, transparency composited on the matte of the encoder's `preprocess`.

        Raises ImageTooLarge, ImageUnsupported, ImageUnreadable, StrokesInvalid, QueueFull (no decoder is free).
        """
        if not isinstance(sketch, EncodedImage):
            return rasterise_strokes(sketch.strokes, limits=self.strokes)
        try:
            return self._picture(sketch.data, preprocess).image
        except SandboxBusy as error:
            raise QueueFull(str(error)) from error

    def is_quick(self, sketch: Sketch) -> bool:
        """Whether it is decoded in this process, within some milliseconds, and without waiting."""
        return not isinstance(sketch, EncodedImage) or decodes_quickly(sketch.data, self.images, _DRAFT_PX)

    def close(self) -> None:
        """End the processes; a later sketch starts new ones."""
        self.svg.close()
        if self.images.isolated is not None:
            self.images.isolated.close()

    def _picture(self, data: bytes, preprocess: Preprocess) -> DecodedImage:
        if looks_like_svg(data):
            return preprocess.decode(render_svg(self.svg, data, self.images.max_bytes))
        # Photos may be in more formats. What sketches are sent in is few, and their decoders are the well-tried ones.
        if data and format_of(data) not in SKETCH_FORMATS:
            raise ImageUnsupported(_ACCEPTED)
        return preprocess.decode(data, self.images, draft_px=_DRAFT_PX)
