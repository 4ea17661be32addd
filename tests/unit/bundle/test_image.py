"""Decoding: every kind of image that people upload becomes the same 8-bit RGB, and nothing hostile is decoded."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.bundle import ImageLimits, ImageTooLarge, ImageUnreadable, ImageUnsupported, decode_image


def encoded(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def gradient() -> Image.Image:
    """40 x 30 RGB whose corners differ, so that turning or mirroring shows."""
    y, x = np.mgrid[0:30, 0:40]
    return Image.fromarray(np.stack([x * 6, y * 8, np.full_like(x, 90)], axis=-1).astype(np.uint8))


@pytest.mark.parametrize("image_format", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_the_same_pixels(image_format: str) -> None:
    decoded = decode_image(encoded(gradient(), image_format))
    assert decoded.image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(decoded.image), np.asarray(gradient()))
    assert (decoded.width, decoded.height, decoded.format, decoded.frames) == (40, 30, image_format, 1)


def test_webp_and_jpeg_are_near() -> None:
    for image_format in ("WEBP", "JPEG"):
        decoded = decode_image(encoded(gradient(), image_format, quality=95)).image
        assert np.abs(np.asarray(decoded).astype(int) - np.asarray(gradient())).mean() < 6


def test_cmyk_is_converted() -> None:
    decoded = decode_image(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)).image
    red, green, blue = np.asarray(decoded).reshape(-1, 3).mean(axis=0)
    assert red > 200 and green < 60 and blue < 60


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    deep = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    decoded = decode_image(encoded(Image.fromarray(deep), "PNG")).image
    expected = np.rint(deep / 257).astype(int)
    np.testing.assert_array_equal(np.asarray(decoded)[..., 0], expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int) -> None:
    stored = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    image = gradient()
    for step in stored[orientation]:
        image = image.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode_image(encoded(image, "PNG", exif=exif.tobytes()))
    np.testing.assert_array_equal(np.asarray(decoded.image), np.asarray(gradient()))
    assert (decoded.width, decoded.height) == (40, 30)


def test_transparency_is_composited_on_white() -> None:
    drawing = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    ImageDraw.Draw(drawing).line((4, 4, 28, 28), fill=(10, 20, 30, 255), width=3)
    pixels = np.asarray(decode_image(encoded(drawing, "PNG")).image)
    assert tuple(pixels[0, 31]) == (255, 255, 255)
    assert tuple(pixels[16, 16]) == (10, 20, 30)


def test_palette_transparency_is_composited_too() -> None:
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([0, 0, 0, 200, 0, 0])
    palette.putpixel((4, 4), 1)
    pixels = np.asarray(decode_image(encoded(palette, "PNG", transparency=0)).image)
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    assert tuple(pixels[4, 4]) == (200, 0, 0)


def test_white_ink_on_transparency_stays_visible() -> None:
    drawing = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    ImageDraw.Draw(drawing).line((4, 4, 28, 28), fill=(255, 255, 255, 255), width=3)
    pixels = np.asarray(decode_image(encoded(drawing, "PNG"), matte="contrast").image)
    assert int(pixels.max()) - int(pixels.min()) == 255


def test_animations_give_their_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "green", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    decoded = decode_image(data)
    assert decoded.frames == 3
    assert tuple(np.asarray(decoded.image)[0, 0]) == (255, 0, 0)


def test_draft_reports_the_files_size() -> None:
    decoded = decode_image(encoded(Image.new("RGB", (1600, 1200), "white"), "JPEG"), draft_px=160)
    assert (decoded.width, decoded.height) == (1600, 1200)
    assert 160 <= min(decoded.image.size) < 1200


def pixel_bomb(side: int) -> bytes:
    """A PNG header that declares side x side pixels, with almost no data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_000, 12_000, 50_000])
def test_pixel_bombs_are_refused_by_their_header(side: int) -> None:
    with pytest.raises(ImageTooLarge, match="pixels"):
        decode_image(pixel_bomb(side))


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(ImageTooLarge, match="at most 100 are accepted"):
        decode_image(encoded(gradient(), "BMP"), ImageLimits(max_bytes=100))


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", encoded(gradient(), "PNG")[:-40], encoded(gradient(), "JPEG")[:300]]
)
def test_broken_data_is_unreadable(data: bytes) -> None:
    with pytest.raises((ImageUnreadable, ImageUnsupported)):
        decode_image(data)


def test_text_is_unsupported() -> None:
    with pytest.raises(ImageUnsupported, match="PNG"):
        decode_image(b"just words, no picture" * 20)
