"""The job of a child process that decodes images. Only such a process imports this."""

from __future__ import annotations

from typing import Any

from PIL import Image

from models.images.grounds import MATTE_LEVEL, in_rgb
from models.images.plugins import register_plugins
from models.images.raster import read_header, read_raster

# Every decoder is imported before the process gives up the right to open files.
register_plugins()
Image.init()


def decode(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """One file to a raster's description and its pixels in RGB. Raises ImageError, MemoryError."""
    header = read_header(
        data,
        tuple(request["formats"]),
        max_pixels=request["max_pixels"],
        max_working_bytes=2**62,  # the parent has checked it, and this process cannot take more than it may
        draft_px=request["draft_px"],
    )
    raster = in_rgb(
        read_raster(header, max_pixels=request["max_pixels"], draft_px=request["draft_px"]), request["matte"]
    )
    about = {
        "size": raster.image.size,
        "matte_level": raster.image.info.get(MATTE_LEVEL),
        "width": raster.width,
        "height": raster.height,
        "format": raster.format,
        "frames": raster.frames,
        "repairs": raster.repairs,
    }
    return about, raster.image.tobytes()
