"""The job of a child process that decodes images. Only such a process imports this."""

from __future__ import annotations

from typing import Any

from PIL import Image

from models.images.plugins import register_plugins
from models.images.raster import portable, read_header, read_raster

# Every decoder is imported before the process gives up the right to open files.
register_plugins()
Image.init()


def decode(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """One file to a raster's description and its pixels. Raises ImageError, MemoryError."""
    header = read_header(
        data,
        tuple(request["formats"]),
        max_pixels=request["max_pixels"],
        max_working_bytes=2**62,  # the parent has checked it, and this process cannot take more than it may
        draft_px=request["draft_px"],
    )
    return portable(read_raster(header, max_pixels=request["max_pixels"], draft_px=request["draft_px"]))
