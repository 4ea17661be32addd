"""HEIC where its decoder is installed, and messages that are true where it is not."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.images import ImageLimits, ImageTooLarge, ImageUnsupported, IsolatedDecoder, accepted_formats, decode_image
from models.images.plugins import plugin_formats
from models.sandbox import ProcessLimits
from tests.unit.images.heic_file import HEIC


@pytest.fixture
def without_decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where the extra is not installed: the package cannot be found."""
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    plugin_formats.cache_clear()
    yield
    monkeypatch.undo()
    plugin_formats.cache_clear()


def seen() -> np.ndarray:
    """The picture that the file was made from."""
    image = Image.new("RGB", (48, 32), "white")
    ImageDraw.Draw(image).rectangle((0, 0, 20, 10), fill=(30, 30, 30))
    return np.asarray(image, dtype=int)


def claiming(width: int, height: int) -> bytes:
    data = bytearray(HEIC)
    struct.pack_into(">II", data, data.find(b"ispe") + 8, width, height)
    return bytes(data)


def test_a_heic_is_decoded_upright_here_and_in_a_child() -> None:
    here = decode_image(HEIC)
    assert (here.width, here.height, here.format, here.frames) == (48, 32, "HEIF", 1)
    assert abs(np.asarray(here.image, dtype=int) - seen()).max() < 60  # the codec blurs the corner's edges
    assert abs(np.asarray(here.image, dtype=int) - seen()).mean() < 2
    isolated = IsolatedDecoder(ProcessLimits(0.9, 64 * 2**20), processes=1)
    try:
        there = decode_image(HEIC, ImageLimits(isolated=isolated))
    finally:
        isolated.close()
    assert np.array_equal(np.asarray(there.image), np.asarray(here.image))
    assert (there.width, there.height) == (48, 32)


def test_its_claims_are_checked_before_it_is_decoded() -> None:
    with pytest.raises(ImageTooLarge, match="60000 x 60000"):
        decode_image(claiming(60_000, 60_000))
    # A phone's 12 megapixels fit the service's memory for one image, and 24 do not.
    limits = ImageLimits(max_working_bytes=112 * 2**20)
    with pytest.raises(ImageTooLarge, match="HEIF image of 6000 x 4000"):
        decode_image(claiming(6_000, 4_000), limits)


@pytest.mark.usefixtures("without_decoder")
def test_without_its_decoder_the_message_names_the_extra() -> None:
    assert "HEIF" not in accepted_formats()
    with pytest.raises(ImageUnsupported, match="the extra `heif`"):
        decode_image(HEIC)


@pytest.mark.parametrize("start", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"])
def test_jpeg_xl_is_named_and_other_formats_offered(start: bytes) -> None:
    with pytest.raises(ImageUnsupported, match="JPEG XL is not read; save the image as PNG, JPEG"):
        decode_image(start + bytes(64))
