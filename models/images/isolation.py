"""Decoding in limited child processes, for the files whose decoders are not trusted to stay within limits."""

from __future__ import annotations

from PIL import Image

from models.images.errors import ImageError, ImageTooLarge, ImageUnreadable, ImageUnsupported
from models.images.grounds import MATTE_LEVEL, Matte
from models.images.raster import Raster
from models.sandbox import ProcessLimits, Sandbox, SandboxCrashed, SandboxExceeded, SandboxRejected

_ERRORS: dict[str, type[ImageError]] = {
    error.__name__: error for error in (ImageTooLarge, ImageUnreadable, ImageUnsupported)
}


class IsolatedDecoder:
    """Decodes files in child processes: one that hangs, crashes or swells ends there and is answered with an error."""

    def __init__(
        self, limits: ProcessLimits, *, processes: int, waiting: int | None = None, wait_s: float | None = None
    ) -> None:
        """Starts nothing yet; see `Sandbox` for `waiting` and `wait_s`."""
        self._sandbox = Sandbox(
            "models.images.decode_job:decode", limits, processes=processes, waiting=waiting, wait_s=wait_s
        )

    def raster(
        self, data: bytes, formats: tuple[str, ...], max_pixels: int, draft_px: int | None, matte: Matte
    ) -> Raster:
        """As `in_rgb(read_raster())`, elsewhere; raises its errors and SandboxBusy.

        The child converts, too: it has given the file's own pixels back by then, and three bytes of each come here.
        """
        request = {"formats": formats, "max_pixels": max_pixels, "draft_px": draft_px, "matte": matte}
        try:
            about, pixels = self._sandbox.run(request, data)
        except SandboxExceeded as error:
            raise ImageTooLarge(f"decoding the image takes {error}") from error
        except SandboxCrashed as error:
            raise ImageUnreadable(f"the image is broken, its decoder failed: {error}") from error
        except SandboxRejected as error:
            raise _ERRORS.get(error.kind, ImageUnreadable)(str(error)) from error
        image = Image.frombytes("RGB", tuple(about["size"]), pixels)
        if about["matte_level"] is not None:
            image.info[MATTE_LEVEL] = about["matte_level"]
        repairs = tuple(about["repairs"])
        return Raster(image, about["width"], about["height"], about["format"], about["frames"], repairs)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the children that wait for a file."""
        return self._sandbox.pids

    def close(self) -> None:
        """End the children."""
        self._sandbox.close()
