"""SVG to pixels, in a limited child process of its own.

A renderer of untrusted SVG can be made to run for minutes or to ask for gigabytes, and a fault in it ends its whole
process. One child renders one document after the other, so that no number of them takes more than one core, or more
than one of the service's threads beside the one that waits.
"""

from __future__ import annotations

from models.images import ImageError, ImageTooLarge, ImageUnreadable, ImageUnsupported
from models.sandbox import ProcessLimits, Sandbox, SandboxCrashed, SandboxExceeded, SandboxRejected

RENDER_PX = 512  # longer side of the raster; sketches are reduced to 256 px

_LIMITS = ProcessLimits(cpu_s=0.5, memory_bytes=96 * 2**20)
_WAIT_S = 1.0
_MAX_BYTES = 2 * 2**20
_ERRORS: dict[str, type[ImageError]] = {
    error.__name__: error for error in (ImageTooLarge, ImageUnreadable, ImageUnsupported)
}


def svg_sandbox() -> Sandbox:
    """The lane that SVG documents are rendered in: one child, and one document that waits for it."""
    return Sandbox("service.sketches.svg.job:render", _LIMITS, processes=1, waiting=1, wait_s=_WAIT_S)


def render_svg(sandbox: Sandbox, data: bytes, max_bytes: int) -> bytes:
    """An SVG document -> PNG with its longer side RENDER_PX, background transparent.

    Raises ImageTooLarge, ImageUnsupported, ImageUnreadable, SandboxBusy.
    """
    allowed = min(_MAX_BYTES, max_bytes)
    if len(data) > allowed:
        raise ImageTooLarge(f"the SVG has {len(data):,} bytes; at most {allowed:,} are accepted")
    try:
        return sandbox.run({"side_px": RENDER_PX}, data)[1]
    except SandboxExceeded as error:
        raise ImageTooLarge(f"the SVG is too complex: rendering it takes {error}") from error
    except SandboxCrashed as error:
        raise ImageUnreadable(f"the SVG cannot be rendered: {error}") from error
    except SandboxRejected as error:
        raise _ERRORS.get(error.kind, ImageUnreadable)(str(error)) from error
