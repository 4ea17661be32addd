"""What costly files take in a fresh process, within the service's own limits.

`python -m tests.unit.images.costs_of_files` prints a JSON object by the name of the file: outcomes as a sketch and as a
photo, seconds of processor time for each of the two, MiB above the resting peak of this process and of a child (of one
that was ended too), and MiB that stay.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.poison import Meter, outcomes_of, status_mib
from models.images.formats.png import SIGNATURE, chunk
from service.config import load_settings
from service.runtime.heap import give_large_blocks_back
from service.runtime.serving import sketch_decoder
from tests.unit.images.poison_files import encoded

BLUR = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><filter id="f"><feGaussianBlur stdDeviation="99"/>'
    b'</filter><g filter="url(#f)"><rect width="9" height="9"/></g></svg>'
)


def webp(side: int = 3_999) -> bytes:
    """One colour, lossless: a few bytes for 16 million pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "white").save(buffer, "WEBP", lossless=True, quality=0, method=0)
    return buffer.getvalue()


def deep_png(side: int, colour: int = 0) -> bytes:
    """Black pixels of 16 bits a sample, of grey (colour type 0) or RGBA (6): a thousandth of them in bytes."""
    row = bytes(1 + 2 * side * {0: 1, 6: 4}[colour])
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 16, colour, 0, 0, 0))
    return SIGNATURE + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg_of_scans(count: int = 23_500) -> bytes:
    """A progressive JPEG of 1 MB, whose last scan comes again and again."""
    data = encoded(64, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    return data[:last] + scan[:45] * count + data[-2:]


def plain(mode: str, kind: str, **options: Any) -> bytes:
    """One colour at the largest size that is accepted, in any mode that a format has."""
    buffer = io.BytesIO()
    Image.new(mode, (3_999, 3_999)).save(buffer, kind, **options)
    return buffer.getvalue()


def frames(kind: str, side: int) -> bytes:
    """Three frames with transparency."""
    buffer = io.BytesIO()
    first, *others = (
        Image.new("RGBA", (side, side), colour) for colour in ((9, 9, 9, 255), (200, 0, 0, 128), (0, 0, 200, 9))
    )
    first.save(buffer, kind, save_all=True, append_images=others)
    return buffer.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "webp": webp,
    "png": lambda: deep_png(4_000),
    "png, rgba of 16 bits": lambda: deep_png(3_999, colour=6),
    "png, a transparent colour": lambda: plain("RGB", "PNG", transparency=(0, 0, 0)),
    "png, a transparent palette": lambda: plain("P", "PNG", transparency=bytes(range(256))),
    "gif, frames": lambda: frames("GIF", 3_999),
    "webp, frames": lambda: frames("WEBP", 2_000),
    "jpeg, cmyk": lambda: plain("CMYK", "JPEG"),
    "jpeg": jpeg_of_scans,
    "svg": lambda: BLUR,
}


def main() -> None:
    """Decode each file once and print what it took."""
    give_large_blocks_back()
    decoder = sketch_decoder(load_settings({}, index=Path("nowhere")))
    # The first file of a kind starts the child that the later ones use.
    outcomes_of(decoder, encoded(64, "WEBP"))
    outcomes_of(decoder, b'<svg viewBox="0 0 9 9"><path d="M1 1L8 8" stroke="red"/></svg>')
    meter = Meter(decoder)
    taken = {}
    for name, make in FILES.items():
        data = make()
        meter.rest()
        before_mib = status_mib(os.getpid(), "VmRSS")
        outcomes = outcomes_of(decoder, data)
        cpu_s, peak_mib = meter.read()
        taken[name] = {
            "bytes": len(data),
            "outcomes": outcomes,
            "cpu_s": cpu_s / len(outcomes),
            "peak_mib": peak_mib,
            "kept_mib": status_mib(os.getpid(), "VmRSS") - before_mib,
        }
    decoder.close()
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
