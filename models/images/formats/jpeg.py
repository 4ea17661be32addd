"""JPEG: how many scans and which process, read from its markers; metadata is left out (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from models.images.errors import ImageTooLarge, ImageUnreadable, ImageUnsupported
from models.images.formats.exif import START, exif_orientation, minimal_exif
from models.images.formats.header import Header, unpack

MAX_SCANS = 50  # encoders write 10 at most; each one passes over the whole image
_MAX_SCANNED_PIXELS = 800_000_000  # scans x pixels: about 0.7 s of processor time
_MAX_SEGMENTS = 2_000

_SOI, _EOI, _SOS, _APP0, _APP1, _APP14, _COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xEE, 0xFE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame; the rest are tables
_DECODED = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive"}
_PROGRESSIVE = 0xC2
_EXIF = bytes((0xFF, _APP1))
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))
_END = b"\xff\xd9"
# In entropy-coded data FF is followed by 00 or a restart marker: what is neither ends the scan.
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")


@dataclass(frozen=True)
class _Frame:
    marker: int
    width: int
    height: int
    # Samples of all components per pixel, by their sampling factors: 1.5 for 4:2:0.
    samples: float
    components: int


def inspect(data: bytes, draft_px: int | None) -> Header:
    """The header of a JPEG that is to be decoded at a scale whose sides are still `draft_px`.

    Raises ImageUnreadable, ImageUnsupported (arithmetic coding, lossless, 12 bits), ImageTooLarge (too many scans).
    """
    frame, kept, start = _tables(data)
    scans = _scans(data, start)
    pixels = frame.width * frame.height
    if scans > MAX_SCANS:
        raise ImageTooLarge(f"the JPEG image has {scans:,} scans; at most {MAX_SCANS} are decoded")
    if scans * pixels > _MAX_SCANNED_PIXELS:
        raise ImageTooLarge(
            f"the JPEG image has {scans} scans of {pixels:,} pixels; at most {_MAX_SCANNED_PIXELS:,} are decoded in all"
        )
    scale = draft_scale(frame.width, frame.height, draft_px) if frame.components in (1, 3) else 1
    working = pixels // scale**2 * (1 if frame.components == 1 else 4)
    if scans > 1:  # every coefficient waits in memory for the last scan
        working += round(2 * frame.samples * pixels)
    repairs = []
    if not data.rstrip(b"\0\n\r").endswith(_END):
        repairs.append("the file lacks its end")
    return Header("JPEG", frame.width, frame.height, working, b"".join((*kept, data[start:])), repairs=tuple(repairs))


def draft_scale(width: int, height: int, draft_px: int | None) -> int:
    """By how much libjpeg reduces while it decodes, as Pillow asks it: 1, 2, 4 or 8."""
    if draft_px is None:
        return 1
    available = min(width // draft_px, height // draft_px)
    return next((scale for scale in (8, 4, 2) if available >= scale), 1)


def plain_picture(data: bytes, size: tuple[int, int]) -> bytes | None:
    """The picture of a JPEG alone: tables, frame and one scan, without metadata and without what follows its end.

    It decodes to the very pixels of the file. None for a file of another `size`, width and height, and for one that is
    progressive, has several scans, is turned by EXIF, in four colours, or broken.
    """
    try:
        frame, kept, start = _tables(data)
        (length,) = unpack(">H", data, start + 2, "JPEG")
    except (ImageUnreadable, ImageUnsupported):
        return None
    end = _end_of_scan(data, start + 2 + length)
    exif = [segment for segment in kept if segment.startswith(_EXIF)]
    is_turned = any(exif_orientation(segment[len(_EXIF) + 2 :]) != 1 for segment in exif)
    is_plain = frame.marker != _PROGRESSIVE and frame.components in (1, 3) and (frame.width, frame.height) == size
    if not is_plain or is_turned or end is None:
        return None
    return b"".join((*(segment for segment in kept if segment not in exif), data[start:end]))


def _end_of_scan(data: bytes, start: int) -> int | None:
    """Behind the end of image marker that ends the scan from `start` on; None where something else ends it."""
    at = data.find(_END, start)
    # Without restart markers, every FF of a scan is followed by 00. Counting is ten times as fast as the search.
    if at >= 0 and data.count(b"\xff", start, at) == data.count(b"\xff\0", start, at):
        return at + len(_END)
    found = _NEXT_MARKER.search(data, start)
    return found.end() if found is not None and found[1][0] == _EOI else None


def with_end(content: bytes) -> bytes:
    """The file with an end of image marker."""
    return content + _END


def with_padding(content: bytes) -> bytes:
    """The file with an end after 64 bytes that belong to no picture: a complete one decodes to the same pixels."""
    return content + bytes(64) + _END


def _tables(data: bytes) -> tuple[_Frame, list[bytes], int]:
    """The frame, the segments before the first scan that matter to a decoder, and where that scan starts."""
    kept, frame, position, exif = [data[:2]], None, 2, False
    for _ in range(_MAX_SEGMENTS):
        found = _NEXT_MARKER.search(data, position)
        if found is None:
            break
        marker, position = found[1][0], found.end()
        if marker in _STANDALONE:
            continue
        if marker == _EOI:
            break
        (length,) = unpack(">H", data, position, "JPEG")
        if marker == _SOS:
            if frame is None:
                break
            return frame, kept, position - 2
        if marker in _FRAMES:
            frame = _frame(data, marker, position)
        # JFIF and Adobe say which colours the components are, EXIF which way is up; all else is for people.
        if marker == _APP1 and not exif and data[position + 2 : position + 8] == START:
            exif = True
            kept.append(_upright(data[position + 2 : position + length]))
        elif marker in (_APP0, _APP14) or not (_APP0 <= marker <= 0xEF or marker == _COM):
            kept.append(data[position - 2 : position + length])
        position += length
    raise ImageUnreadable("the JPEG image is broken or truncated: it holds no scan")


def _upright(exif: bytes) -> bytes:
    """A segment that says of an EXIF segment which way is up."""
    body = START + minimal_exif(exif_orientation(exif))
    return bytes((0xFF, _APP1)) + struct.pack(">H", len(body) + 2) + body


def _frame(data: bytes, marker: int, position: int) -> _Frame:
    if marker not in _DECODED:
        kind = "arithmetic-coded" if marker >= 0xC9 else "lossless or hierarchical"
        raise ImageUnsupported(f"{kind} JPEG is not decoded, by browsers neither; save it as baseline or progressive")
    bits, height, width, components = unpack(">BHHB", data, position + 2, "JPEG")
    if bits != 8:
        raise ImageUnsupported(f"JPEG of {bits} bits per sample is not decoded; 8 are expected")
    factors = []
    for number in range(components):
        (factor,) = unpack(">B", data, position + 9 + 3 * number, "JPEG")
        factors.append((factor >> 4) * (factor & 15))
    if not factors or min(factors) == 0 or width * height == 0:
        raise ImageUnreadable("the JPEG image is broken or truncated: its frame has no samples")
    return _Frame(marker, width, height, sum(factors) / max(factors), components)


def _scans(data: bytes, start: int) -> int:
    """Scans from `start` on; not exact below MAX_SCANS, where it does not matter."""
    # Every scan has these two bytes: fewer of them than allowed, and nothing needs a closer look.
    if (upper := data.count(b"\xff\xda", start)) <= MAX_SCANS:
        return upper
    scans, position = 0, start
    while found := _NEXT_MARKER.search(data, position):
        scans += found[1][0] == _SOS
        position = found.end()
        if found[1][0] != _EOI and position + 2 <= len(data):
            position += unpack(">H", data, position, "JPEG")[0]
    return scans
