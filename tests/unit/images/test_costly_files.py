"""Files that cost more than their bytes: rejected before they do, or decoded as every viewer shows them."""

from __future__ import annotations

import random
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from models.images import ImageError, ImageLimits, ImageTooLarge, ImageUnsupported, IsolatedDecoder, decode_image
from models.images.formats.png import chunk
from models.sandbox import ProcessLimits, Sandbox
from service.sketches.svg.rendering import render_svg, svg_sandbox
from tests.unit.images.poison_files import drawing, encoded, jpeg_scans, png_texts, poison_files

SVG = svg_sandbox()


def test_a_jpeg_of_many_scans_is_counted_and_not_decoded() -> None:
    rng = random.Random(1)
    files = [jpeg_scans(rng) for _ in range(6)]
    started = time.process_time()
    for data in files:
        if data.count(b"\xff\xda") > 50:
            with pytest.raises(ImageTooLarge, match="scans"):
                decode_image(data, draft_px=512)
    assert time.process_time() - started < 1.0 * len(files)


def test_a_bmp_of_many_runs_is_not_decoded() -> None:
    def coded(side: int) -> bytes:
        lines = b"".join(bytes((1, row & 255)) * side + b"\0\0" for row in range(side))
        header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(lines), 0, 0, 256, 0)
        colours = b"".join(bytes((level, level, level, 0)) for level in range(256))
        return b"BM" + struct.pack("<IHHI", 1078 + len(lines), 0, 0, 1078) + header + colours + lines

    levels = np.asarray(decode_image(coded(200)).image)
    assert levels[0, 0, 0] == 199 and levels[199, 199, 0] == 0
    with pytest.raises(ImageTooLarge, match="run-length"):
        decode_image(coded(800))
    assert decode_image(encoded(800, "BMP")).width == 800  # larger, and plain


def test_arithmetic_coding_is_named() -> None:
    data = bytearray(encoded(64, "JPEG"))
    data[data.find(b"\xff\xc0") + 1] = 0xC9
    with pytest.raises(ImageUnsupported, match="arithmetic"):
        decode_image(bytes(data))


def test_text_and_profiles_of_any_size_are_left_out() -> None:
    plain = np.asarray(decode_image(encoded(64, "PNG")).image)
    assert np.array_equal(np.asarray(decode_image(png_texts(random.Random(2))).image), plain)
    data = encoded(64, "PNG")
    noted = decode_image(data[:33] + chunk(b"tEXt", b"a\0" + bytes(2**20)) + data[33:])
    assert noted.repairs and "text" in noted.repairs[0]


def test_a_jpeg_without_its_end_is_what_it_was() -> None:
    whole = encoded(200, "JPEG")
    cut = decode_image(whole[:-2])
    assert cut.repairs == ("the file lacks its end",)
    assert np.array_equal(np.asarray(cut.image), np.asarray(decode_image(whole).image))


def test_no_side_stays_longer_than_is_looked_at() -> None:
    for mode in ("1", "L", "P", "RGBA", "I;16"):
        decoded = decode_image(encoded(3000, "PNG", mode))
        assert (decoded.width, max(decoded.image.size)) == (3000, 1500)
        seen = np.asarray(decoded.image.convert("L"), dtype=int)
        expected = np.asarray(drawing(3000).convert("L").reduce(2), dtype=int)
        assert mode == "I;16" or abs(seen - expected).mean() < 3


def test_a_child_decodes_the_same_pixels_and_survives_what_another_does_not() -> None:
    isolated = IsolatedDecoder(ProcessLimits(0.9, 160 * 2**20), processes=1)
    limits = ImageLimits(isolated=isolated)
    try:
        for kind, data in poison_files(16, seed=3):
            if not kind.startswith("svg"):
                with suppress(ImageError):
                    decode_image(data, limits, draft_px=512)
        for kind in ("WEBP", "GIF", "BMP", "AVIF"):
            here, there = decode_image(encoded(200, kind)), decode_image(encoded(200, kind), limits)
            assert np.array_equal(np.asarray(here.image), np.asarray(there.image)), kind
    finally:
        isolated.close()


@pytest.mark.parametrize(
    "document",
    [
        '<svg viewBox="0 0 9 9"><style>:root{--ink:red}</style><path stroke="var(--ink)" d="M1 1L8 8"/></svg>',
        '<svg viewBox="0 0 9 9"><path stroke="var(--ink, red)" d="M1 1L8 8"/></svg>',
        '<!DOCTYPE svg [<!ENTITY c "red"><!ENTITY s "http://www.w3.org/2000/svg">]>'
        '<svg xmlns="&s;" viewBox="0 0 9 9"><path stroke="&c;" d="M1 1L8 8"/></svg>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin1"])
def test_an_svg_is_drawn_in_any_encoding_with_variables_and_entities(document: str, encoding: str) -> None:
    plain = b'<svg viewBox="0 0 9 9"><path stroke="red" d="M1 1L8 8"/></svg>'
    declared = f'<?xml version="1.0" encoding="{encoding}"?><!-- \xe9 -->' + document.replace("<!-- \xe9 -->", "")
    assert render_svg(SVG, declared.encode(encoding), 10**6) == render_svg(SVG, plain, 10**6)


@pytest.mark.parametrize("effect", ['filter="blur(9px)"', 'style="filter:url(#f)"', 'mask="url(#m)"'])
def test_an_svg_with_effects_is_rejected_by_their_name(effect: str) -> None:
    with pytest.raises(ImageUnsupported, match="effects"):
        render_svg(SVG, f'<svg><rect width="9" height="9" {effect}/></svg>'.encode(), 10**6)


def test_who_waits_while_a_child_starts_is_not_turned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that takes longer to start than a job may wait, as on a busy machine."""
    handler = "import time\n\ntime.sleep(1.5)\n\n\ndef echo(request, body):\n    return request, body\n"
    (tmp_path / "slow_start.py").write_text(handler)
    monkeypatch.syspath_prepend(str(tmp_path))
    sandbox = Sandbox("slow_start:echo", ProcessLimits(5.0, 2**26), processes=1, waiting=3, wait_s=0.05)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda number: sandbox.run({"number": number}, b"%d" % number), range(4)))
    sandbox.close()
    assert answers == [({"number": number}, b"%d" % number) for number in range(4)]
