"""Every mode that Pillow opens becomes 8-bit RGB; the two mattes; what an encoder sees of it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from models.bundle import (
    ImageError,
    ImageLimits,
    ImageTooLarge,
    Preprocess,
    SketchNormalisation,
    decode_image,
    open_image,
)

MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "I;16", "F", "La", "RGBa"]


def encoded(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=image_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", MODES)
def test_an_open_image_of_any_mode_becomes_rgb(mode: str) -> None:
    decoded = open_image(Image.new(mode, (9, 7)))
    assert decoded.image.mode == "RGB"
    assert (decoded.image.size, decoded.width, decoded.height) == ((9, 7), 9, 7)


@pytest.mark.parametrize(("mode", "ink", "paper"), [("1", 0, 1), ("L", 0, 255), ("P", 0, 255), ("I;16", 0, 65535)])
def test_black_on_white_stays_black_on_white(mode: str, ink: int, paper: int) -> None:
    image = Image.new(mode, (16, 16), paper)
    image.paste(ink, (4, 4, 12, 12))
    if mode == "P":
        image.putpalette([level for level in range(256) for _ in range(3)])
    pixels = np.asarray(decode_image(encoded(image)).image)
    assert (pixels[:4] == 255).all()
    assert (pixels[5:11, 5:11] == 0).all()


def test_a_grey_sketch_stays_grey_and_is_seen_as_its_copy_in_colour() -> None:
    preprocess = Preprocess(size_px=96, mean=(0.5,) * 3, std=(0.5,) * 3, sketch=SketchNormalisation())
    grey = Image.new("L", (300, 200), 250)
    ImageDraw.Draw(grey).line([(40, 30), (260, 160)], fill=90, width=7)
    ImageDraw.Draw(grey).ellipse([60, 90, 140, 170], outline=40, width=3)
    decoded = preprocess.decode(encoded(grey))
    assert decoded.image.mode == "L"
    assert decode_image(encoded(grey)).image.mode == "RGB"
    np.testing.assert_array_equal(preprocess(decoded.image), preprocess(grey.convert("RGB")))
    # Grey with a transparent level has a ground of its own, which only colour says.
    assert preprocess.decode(encoded(grey, transparency=250)).image.mode == "RGB"


def test_floats_in_0_to_1_and_floats_in_0_to_255_are_told_apart() -> None:
    ramp = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    expected = np.rint(ramp * 255)
    for scale in (1.0, 255.0):
        seen = np.asarray(open_image(Image.fromarray(ramp * np.float32(scale))).image)[..., 0]
        np.testing.assert_allclose(seen, expected, atol=1)


def test_numbers_that_are_not_finite_do_not_stop_it() -> None:
    values = np.array([[0.0, np.nan], [0.5, 1.0]], np.float32)
    seen = np.asarray(open_image(Image.fromarray(values)).image)
    assert seen.dtype == np.uint8
    assert seen[0, 0, 0] == 0


def transparent(ink: int, covered: int, size: int = 40) -> Image.Image:
    """Ink of one grey level on `covered` rows of a transparent canvas."""
    image = Image.new("RGBA", (size, size), (128, 0, 128, 0))
    ImageDraw.Draw(image).rectangle((0, 0, size, covered - 1), fill=(ink, ink, ink, 255))
    return image


@pytest.mark.parametrize(
    ("ink", "covered", "ground"),
    [(0, 8, 255), (100, 8, 255), (140, 8, 0), (255, 8, 0), (255, 30, 255), (0, 30, 255)],
)
def test_the_contrasting_matte_is_black_under_light_ink_on_a_mostly_transparent_canvas(
    ink: int, covered: int, ground: int
) -> None:
    data = encoded(transparent(ink, covered))
    assert tuple(np.asarray(decode_image(data, matte="contrast").image)[-1, 0]) == (ground,) * 3
    white = np.asarray(decode_image(data).image)
    assert tuple(white[-1, 0]) == (255, 255, 255)
    assert tuple(white[0, 0]) == (ink,) * 3


def test_the_colour_below_full_transparency_never_shows() -> None:
    for hidden in ((0, 0, 0, 0), (255, 255, 255, 0), (200, 30, 90, 0)):
        image = Image.new("RGBA", (8, 8), hidden)
        for matte in ("white", "contrast"):
            seen = decode_image(encoded(image), matte="white" if matte == "white" else "contrast").image
            np.testing.assert_array_equal(np.asarray(seen), 255)


def test_half_transparency_is_mixed_with_the_matte() -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    assert abs(int(np.asarray(decode_image(encoded(image)).image)[0, 0, 0]) - 127) <= 1


@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_a_modality_has_one_matte_wherever_the_image_comes_from(fit: Any) -> None:
    plain: dict[str, Any] = {"size_px": 32, "mean": (0, 0, 0), "std": (1, 1, 1), "fit": fit}
    photo, sketch = Preprocess(**plain), Preprocess(sketch=SketchNormalisation(), **plain)
    image = transparent(250, 8)
    assert (photo.matte, sketch.matte) == ("product", "contrast")
    for preprocess in (photo, sketch):
        expected = preprocess(decode_image(encoded(image), matte=preprocess.matte).image)
        for file in (image, encoded(image), lambda: image):
            np.testing.assert_array_equal(preprocess.read(file), expected)


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes_decode_or_raise_an_image_error(data: bytes) -> None:
    for prefix in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"RIFF\x10\0\0\0WEBP", b"II*\0"):
        try:
            decoded = decode_image(prefix + data)
        except ImageError:
            continue
        assert decoded.image.mode == "RGB"


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_a_damaged_file_decodes_or_raises_an_image_error(data: st.DataObject) -> None:
    image = Image.fromarray(np.arange(48 * 32 * 3, dtype=np.uint8).reshape(32, 48, 3))
    content = bytearray(encoded(image, data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode_image(bytes(content), ImageLimits(max_pixels=100_000))
    except ImageError:
        return
    assert decoded.width * decoded.height <= 100_000


def test_limits_count_what_the_header_declares() -> None:
    data = encoded(Image.new("RGB", (200, 100)))
    assert decode_image(data, ImageLimits(max_pixels=20_000)).width == 200
    with pytest.raises(ImageTooLarge, match="200 x 100 = 20,000 pixels; at most 19,999"):
        decode_image(data, ImageLimits(max_pixels=19_999))
    with pytest.raises(ImageTooLarge, match=f"{len(data):,} bytes"):
        decode_image(data, ImageLimits(max_bytes=len(data) - 1))
