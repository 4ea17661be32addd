"""SVG to pixels, in a process of its own.

A renderer of untrusted SVG can be made to run for minutes (nested <use>) or to ask for gigabytes, which ends its whole
process. So the document is looked through first, then a child renders it with limits on time and memory. A child
costs about 30 ms, and only requests with an SVG pay.
"""

from __future__ import annotations

import subprocess
import sys
from xml.parsers import expat

from models.bundle import ImageTooLarge, ImageUnreadable, ImageUnsupported
from service.sketches import svg_renderer

RENDER_PX = 512  # longer side of the raster; sketches are reduced to 256 px

_TIMEOUT_S = 3.0
_MAX_BYTES = 2 * 2**20
_MAX_ELEMENTS = 20_000
_MAX_DEPTH = 100
# They show or fetch what is not drawn here. Scripts, styles and text are inert: nothing runs, no font is loaded.
_REJECTED = ("image", "feimage", "foreignobject", "iframe")


def looks_like_svg(data: bytes) -> bool:
    """Whether the bytes start like markup; no raster format does."""
    start = data[:256].removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"<") or data.startswith((b"\xff\xfe<", b"\xfe\xff\x00<"))


def render_svg(data: bytes, max_bytes: int) -> bytes:
    """An SVG document -> PNG with its longer side RENDER_PX, background transparent.

    Raises ImageTooLarge, ImageUnsupported, ImageUnreadable.
    """
    allowed = min(_MAX_BYTES, max_bytes)
    if len(data) > allowed:
        raise ImageTooLarge(f"the SVG has {len(data):,} bytes; at most {allowed:,} are accepted")
    _inspect(data)
    # -I: neither the environment nor the working folder decides what the child imports.
    command = [sys.executable, "-I", svg_renderer.__file__, str(RENDER_PX)]
    try:
        child = subprocess.run(command, input=data, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ImageUnreadable(f"the SVG is too complex: it was not rendered within {_TIMEOUT_S:g} s") from error
    if child.returncode == svg_renderer.EXIT_REJECTED:
        raise ImageUnreadable(f"the SVG cannot be rendered: {child.stderr.decode(errors='replace')[:300]}")
    # A limit that is hit ends the child by a signal or an abort, and it cannot say why.
    if child.returncode != 0:
        raise ImageUnreadable("the SVG is too complex: rendering it took more than is allowed")
    return child.stdout


def _inspect(data: bytes) -> None:
    """Look the document through without building anything from it. Raises ImageUnsupported, ImageUnreadable."""
    scan = _Scan()
    parser = expat.ParserCreate()
    parser.StartElementHandler = scan.start
    parser.EndElementHandler = scan.end
    parser.EntityDeclHandler = scan.entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ImageUnreadable(f"the SVG is not well-formed XML: {error}") from error
    except (LookupError, ValueError) as error:  # an encoding that expat does not know
        raise ImageUnreadable(f"the SVG cannot be read: {error}") from error


class _Scan:
    def __init__(self) -> None:
        self._elements = 0
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        # Documents choose their own namespace prefixes, so only the local name tells.
        local = name.rpartition(":")[2].lower()
        if self._elements == 0 and local != "svg":
            raise ImageUnsupported(f"markup whose root is <{name[:40]}> is no sketch; <svg> is expected")
        self._elements += 1
        self._depth += 1
        if self._elements > _MAX_ELEMENTS or self._depth > _MAX_DEPTH:
            raise ImageTooLarge(f"the SVG has more than {_MAX_ELEMENTS:,} elements or {_MAX_DEPTH} levels")
        if local in _REJECTED:
            raise ImageUnsupported(f"the SVG holds <{name}>: only what is drawn in the SVG itself is accepted")
        for attribute, value in attributes.items():
            if attribute.rpartition(":")[2].lower() == "href" and local != "a" and not value.startswith("#"):
                raise ImageUnsupported(f"<{name} {attribute}> refers to something outside of the SVG")

    def end(self, name: str) -> None:
        self._depth -= 1

    def entity(self, *declaration: object) -> None:
        raise ImageUnsupported("the SVG declares entities, which are not accepted")
