"""The job of the child process that renders SVG. Only such a process imports this."""

from __future__ import annotations

from typing import Any

import resvg_py
from PIL import Image

from models.images import ImageUnreadable
from service.sketches.svg.document import read_document

Image.init()  # before the process gives up the right to open files


def render(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """A document -> PNG whose longer side is `request["side_px"]`. Raises ImageError, MemoryError."""
    document = read_document(data)
    side = int(request["side_px"])
    try:
        # Width and height together: the drawing is fitted into the square, aspect kept, whatever size it claims.
        png = resvg_py.svg_to_bytes(svg_string=document, width=side, height=side, dpi=96, skip_system_fonts=True)
    except ValueError as error:
        raise ImageUnreadable(f"the SVG cannot be rendered: {error}") from error
    return {}, bytes(png)
