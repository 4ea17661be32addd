"""Files made to cost a decoder far more than their bytes, seeded and distinct."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache

from PIL import Image, ImageDraw

from models.images.formats.png import SIGNATURE, chunk
from tests.unit.images.heic_file import HEIC

MAX_BYTES = 10 * 2**20
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 100">{}</svg>'
)


@cache
def drawing(side: int, mode: str = "RGB") -> Image.Image:
    """A few lines on white: what a good file holds."""
    image = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(image)
    for step in range(1, 9):
        draw.line(
            (side * step // 10, side // 9, side - side * step // 10, side * 8 // 9), fill=0, width=2 + side // 200
        )
    return image.convert(mode)


@cache
def encoded(side: int, kind: str, mode: str = "RGB", progressive: bool = False) -> bytes:
    """A good file of `side` pixels squared."""
    buffer = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {"progressive": True} if progressive else {}
    drawing(side, mode).save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg_scans(rng: random.Random) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded(rng.choice((64, 900, 3000)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    return data[:last] + scan * rng.randrange(2, min(23_500, MAX_BYTES // len(scan))) + data[-2:]


def jpeg_claims(rng: random.Random) -> bytes:
    """Other sides, process, precision or sampling than the data has."""
    data = bytearray(encoded(64, "JPEG", progressive=rng.random() < 0.5))
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    struct.pack_into(">HH", data, frame + 5, rng.randrange(1, 65_500), rng.randrange(1, 65_500))
    if rng.random() < 0.4:
        data[frame + 1] = rng.choice((0xC1, 0xC3, 0xC5, 0xC7, 0xC9, 0xCA, 0xCB, 0xCE))
    if rng.random() < 0.2:
        data[frame + 4] = rng.choice((0, 2, 12, 16))
    if rng.random() < 0.3:
        data[frame + 11] = rng.randrange(256)
    return bytes(data) + bytes(rng.randrange(64))


def jpeg_segments(rng: random.Random) -> bytes:
    """Kilobytes to megabytes of EXIF, profiles, comments and restart markers."""
    data = encoded(200, "JPEG")
    body = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + rng.randbytes(65_000)
    marker = rng.choice((0xE1, 0xE2, 0xED, 0xFE, 0xDD))
    segment = b"\xff" + bytes((marker,)) + struct.pack(">H", len(body) + 2) + body
    restarts = b"".join(b"\xff" + bytes((0xD0 + n % 8,)) for n in range(rng.randrange(100_000)))
    return data[:2] + segment * rng.randrange(1, 90) + data[2:-2] + restarts + data[-2:]


@cache
def _zeros(megabytes: int) -> bytes:
    return zlib.compress(bytes(megabytes * 2**20), 9)


def png_texts(rng: random.Random) -> bytes:
    """Text and profiles that unpack to hundreds of megabytes."""
    data = encoded(64, "PNG")
    packed = _zeros(rng.choice((1, 20, 200)))
    kinds = {b"zTXt": b"a\0\0", b"iTXt": b"a\0\1\0\0\0", b"iCCP": b"a\0\0", b"tEXt": b"a\0"}
    parts = [chunk(kind, kinds[kind] + packed) for kind in rng.choices(list(kinds), k=rng.randrange(1, 12))]
    return data[:33] + b"".join(parts) + chunk(b"tEXt", b"seed\0" + rng.randbytes(8)) + data[33:]


@cache
def _scanlines(row_bytes: int, rows: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 + row_bytes)) for _ in range(rows)) + packer.flush()


def png_pixels(rng: random.Random) -> bytes:
    """Many pixels of one colour, in every colour type and depth, interlaced too."""
    colour, depth = rng.choice(((0, 1), (0, 8), (0, 16), (2, 8), (2, 16), (3, 8), (4, 8), (4, 16), (6, 8), (6, 16)))
    side = rng.choice((500, 2_000, 4_000, 8_000, 12_000))
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    header = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, rng.randrange(2))
    palette = chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    # Beyond what is accepted the data need not be there.
    rows = _scanlines(side * samples * depth // 8, side) if side <= 4_000 else zlib.compress(b"")
    return (
        SIGNATURE
        + chunk(b"IHDR", header)
        + palette
        + chunk(b"tEXt", b"seed\0" + rng.randbytes(8))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def png_chunks(rng: random.Random) -> bytes:
    """Frames and chunks by the thousand."""
    data = encoded(64, "PNG")
    count = rng.randrange(1, 90_000)
    kind = rng.choice((b"IDAT", b"fcTL", b"abCd"))
    animation = chunk(b"acTL", struct.pack(">II", count, 0))
    return data[:33] + animation + chunk(kind, rng.randbytes(rng.randrange(3))) * count + data[33:]


def gif_frames(rng: random.Random) -> bytes:
    """Thousands of frames of a pixel, or one on a screen of gigapixels."""
    screen = struct.pack("<HH", rng.randrange(1, 65_536), rng.randrange(1, 65_536))
    frame = b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0"
    blocks = b"".join(b"\x01\x00" for _ in range(rng.randrange(3))) + b"\0"
    start = b"GIF89a" + screen + b"\xf0\0\0\0\0\0\xff\xff\xff"
    return start + frame * rng.randrange(1, 60_000) + b"!\xfe" + blocks + b";"


def webp_claims(rng: random.Random) -> bytes:
    """A few bytes for many pixels, or many frames."""
    data = bytearray(encoded(rng.choice((16, 1000, 2400)), "WEBP"))
    width, height = rng.randrange(1, 16_383), rng.randrange(1, 16_383)
    if rng.random() < 0.7:
        struct.pack_into("<I", data, 21, (width | height << 14) | struct.unpack_from("<I", data, 21)[0] & 0xF0000000)
    for _ in range(rng.randrange(3)):
        data[rng.randrange(25, len(data))] = rng.randrange(256)
    return bytes(data)


def bmp_runs(rng: random.Random) -> bytes:
    """Run-length encoding of one pixel at a time, which costs most."""
    width, height = rng.randrange(1, 9_000), rng.randrange(1, 9_000)
    runs = bytes((1, rng.randrange(256))) * rng.randrange(1, 2_000_000)
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(runs), 0, 0, 1078) + header + bytes(1024) + runs


def tiff_tiles(rng: random.Random) -> bytes:
    """Tiles of a pixel, directories in a circle, every compression there is."""
    side = rng.choice((64, 4_000, 30_000))
    compression = rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 32773, 34712, 34925, 50000, 50001, rng.randrange(65_536)))
    tags = [
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 1, rng.choice((1, 8, 16, 32))),
        (259, 3, 1, compression),
        (262, 3, 1, rng.choice((0, 1, 2, 3, 5, 6))),
        (277, 3, 1, rng.choice((1, 3, 4))),
        (322, 4, 1, rng.choice((1, 16, side))),
        (323, 4, 1, rng.choice((1, 16, side))),
        (324, 4, rng.choice((1, 100_000)), 8),
        (325, 4, rng.choice((1, 100_000)), 8),
    ]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", rng.choice((0, 8)))
    return b"II*\0\x08\0\0\0" + directory + rng.randbytes(rng.randrange(20_000))


def avif_changed(rng: random.Random) -> bytes:
    """Extents and data other than what was written."""
    data = bytearray(encoded(rng.choice((64, 1500)), "AVIF"))
    at = data.find(b"ispe") + 8
    if rng.random() < 0.5:
        struct.pack_into(">II", data, at, rng.randrange(1, 2**31), rng.randrange(1, 2**31))
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(40, len(data))] = rng.randrange(256)
    return bytes(data)


def heic_changed(rng: random.Random) -> bytes:
    """Extents, tiles, turns and data other than what was written."""
    data = bytearray(HEIC)
    at = data.find(b"ispe") + 8
    if rng.random() < 0.5:
        struct.pack_into(">II", data, at, rng.randrange(1, 9_000), rng.randrange(1, 9_000))
    for _ in range(rng.randrange(1, 9)):
        data[rng.randrange(40, len(data))] = rng.randrange(256)
    return bytes(data)


def not_accepted(rng: random.Random) -> bytes:
    """Formats that Pillow knows and nobody draws in; EPS would reach an interpreter."""
    start = rng.choice(
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
            b"8BPS\0\1",
            b"icns\0\0\1\0",
            b"\0\0\1\0\1\0",
            b"P6 30000 30000 255\n",
            b"\xc5\xd0\xd3\xc6",
            b"gimp xcf ",
        )
    )
    return start + rng.randbytes(rng.randrange(2_000))


def svg_effects(rng: random.Random) -> bytes:
    """Filters, patterns, masks, uses of uses, dashes, gradients, texts, layers and paths without end."""
    count = rng.randrange(2, 3_000)
    levels = "".join(f'<g id="g{n}">' + f'<use href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, rng.randrange(3, 9)))
    kinds = (
        f'<filter id="f"><feGaussianBlur stdDeviation="{count}"/></filter><rect width="9" filter="url(#f)"/>',
        f'<rect width="99" height="99" style="filter:blur({count}px)"/>',
        f'<pattern id="p" width=".01" height=".01"><circle r="{count}"/></pattern><rect width="9" height="9"/>',
        f'<mask id="m"><rect width="{count}" height="9"/></mask><rect width="99" height="99" mask="url(#m)"/>',
        f'<defs><g id="g0"><path d="M0 0L{count} 9"/></g>{levels}</defs><use href="#g2"/>',
        f'<path d="M0 0L{10**6} {count}" stroke="red" stroke-dasharray=".0001 .0001"/>',
        f'<path d="{"M0 0L99 99" * count}{"A9 9 0 0 0 5 5" * count}" stroke="red"/>',
        '<g opacity=".9">' * 90 + f'<rect width="{count}" height="9"/>' + "</g>" * 90,
        f'<g opacity=".5"><path d="M1 1L99 99" stroke="red"/></g>{count % 7}' * count,
        f"<text>{'x' * count * 50}</text>",
        "<g>" * count + "</g>" * count,
        '<linearGradient id="l">' + f'<stop offset=".{count}"/>' * count + '</linearGradient><rect fill="url(#l)"/>',
        f'<path stroke="var(--a)" style="--a:var(--b);--b:var(--a{count})" d="M0 0L9 9"/>',
        f'<path d="M{10**30} {count}L-{10**30} 9" stroke="red" stroke-width="{10**20}"/>',
    )
    return _SVG.format(rng.choice(kinds) + f"<desc>{rng.random()}</desc>").encode()


def svg_entities(rng: random.Random) -> bytes:
    """Entities of entities, and encodings that are none."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, rng.randrange(2, 12)))
    document = f'<!DOCTYPE svg [<!ENTITY e0 "{rng.random()}">{levels}]>' + _SVG.format('<path d="&e1;"/>')
    text = f'<?xml version="1.0" encoding="{rng.choice(("utf-8", "utf-16", "latin1", "utf-7", "cp037"))}"?>{document}'
    return text.encode(rng.choice(("utf-8", "utf-16", "utf-16-le", "latin1")))


def damaged(rng: random.Random) -> bytes:
    """A good file of any format, with bytes changed, cut off or repeated."""
    kind = rng.choice(("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"))
    data = bytearray(encoded(rng.choice((32, 200)), kind))
    for _ in range(rng.randrange(1, 12)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    if rng.random() < 0.3:
        del data[rng.randrange(len(data)) :]
    return bytes(data)


KINDS: tuple[Callable[[random.Random], bytes], ...] = (
    jpeg_scans,
    jpeg_claims,
    jpeg_segments,
    png_texts,
    png_pixels,
    png_chunks,
    gif_frames,
    webp_claims,
    bmp_runs,
    tiff_tiles,
    avif_changed,
    heic_changed,
    not_accepted,
    svg_effects,
    svg_entities,
    damaged,
    damaged,
)


def poison_files(count: int, seed: int = 0, first: int = 0) -> Iterator[tuple[str, bytes]]:
    """(kind, bytes) of files `first` to `first + count - 1`, the kinds by turns; the same for the same seed."""
    for number in range(first, first + count):
        make = KINDS[number % len(KINDS)]
        # No larger than a service accepts: what is beyond, it does not read.
        yield make.__name__, make(random.Random(f"{seed}/{number}"))[:MAX_BYTES]
