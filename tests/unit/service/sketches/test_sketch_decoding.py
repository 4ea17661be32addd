"""A sketch to pixels: every form, within the limits, on the matte that keeps its lines visible."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.bundle import (
    ImageLimits,
    ImageTooLarge,
    ImageUnreadable,
    ImageUnsupported,
    Preprocess,
    SketchNormalisation,
    StrokeLimits,
    StrokesInvalid,
    rasterise_strokes,
)
from models.images import MemoryBudget
from service.sketches.decode import SketchDecoder
from service.sketches.sketch import EncodedImage, Sketch, Strokes
from service.sketches.svg.rendering import RENDER_PX, render_svg, svg_sandbox
from service.sketches.svg.text import looks_like_svg

PREPROCESS = Preprocess(size_px=32, sketch=SketchNormalisation(), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
SVG = svg_sandbox()
LINE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50" stroke="{}"><path d="M10 25 L90 25"/></svg>'


def decoded(sketch: Sketch, images: ImageLimits | None = None, strokes: StrokeLimits | None = None) -> Image.Image:
    return SketchDecoder(images or ImageLimits(), strokes or StrokeLimits(), SVG).decode(sketch, PREPROCESS)


def encoded(image: Image.Image, format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


def test_strokes_are_rasterised_within_their_limits() -> None:
    strokes = Strokes((np.array([[0.0, 0.0], [9.0, 9.0]]), np.array([[9.0, 0.0], [0.0, 9.0]])))
    assert decoded(strokes).tobytes() == rasterise_strokes(strokes.strokes).tobytes()
    with pytest.raises(StrokesInvalid):
        decoded(strokes, strokes=StrokeLimits(max_strokes=1, max_points=9))
    with pytest.raises(StrokesInvalid):
        decoded(strokes, strokes=StrokeLimits(max_strokes=9, max_points=3))


def test_an_image_is_the_same_pixels() -> None:
    image = Image.new("RGB", (40, 20), "white")
    ImageDraw.Draw(image).line((3, 3, 30, 15), fill=(10, 20, 30), width=2)
    assert decoded(EncodedImage(encoded(image))).tobytes() == image.tobytes()


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255)])
def test_lines_on_transparency_stay_visible(ink: tuple[int, int, int]) -> None:
    image = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    ImageDraw.Draw(image).line((3, 10, 36, 10), fill=(*ink, 255), width=3)
    pixels = np.asarray(decoded(EncodedImage(encoded(image))).convert("L"), dtype=int)
    assert abs(pixels[10, 20] - pixels[0, 0]) > 200


def test_limits_hold_before_the_pixels_are_decoded() -> None:
    data = encoded(Image.new("L", (100, 100), 255))
    with pytest.raises(ImageTooLarge):
        decoded(EncodedImage(data), images=ImageLimits(max_bytes=len(data) - 1, max_pixels=10**6))
    with pytest.raises(ImageTooLarge):
        decoded(EncodedImage(data), images=ImageLimits(max_bytes=10**6, max_pixels=9_999))


@pytest.mark.parametrize("data", [b"II*\0" + bytes(40), b"MM\0*" + bytes(40), b"no image", b"%PDF-1.4"])
def test_formats_that_are_not_accepted_are_named(data: bytes) -> None:
    with pytest.raises(ImageUnsupported, match="PNG, JPEG, WebP, GIF, BMP, SVG"):
        decoded(EncodedImage(data))


@pytest.mark.parametrize("stroke", ["black", "white"])
def test_an_svg_is_drawn(stroke: str) -> None:
    pixels = np.asarray(decoded(EncodedImage(LINE.format(stroke).encode())).convert("L"), dtype=int)
    assert max(pixels.shape) == RENDER_PX
    assert abs(pixels[pixels.shape[0] // 2, pixels.shape[1] // 2] - pixels[0, 0]) > 100


def test_markup_is_known_by_its_start() -> None:
    for data in (b"<svg/>", b"  \n<?xml", b"\xef\xbb\xbf<svg/>", b"\xff\xfe<\0s\0"):
        assert looks_like_svg(data)
    for data in (b"\x89PNG\r\n", b"GIF89a<", b"", b"{}"):
        assert not looks_like_svg(data)


@pytest.mark.parametrize(
    ("svg", "error", "said"),
    [
        ("<svg>", ImageUnreadable, "not well-formed"),
        ("<html/>", ImageUnsupported, "<html>"),
        ('<svg><image href="a.png"/></svg>', ImageUnsupported, "<image>"),
        ('<svg xmlns:x="y"><x:foreignObject/></svg>', ImageUnsupported, "foreignObject"),
        ('<svg><use href="https://example.com/a"/></svg>', ImageUnsupported, "outside"),
        ("<!DOCTYPE svg [<!ENTITY a SYSTEM 'b'>]><svg/>", ImageUnsupported, "outside"),
        ("<svg>" + "<g>" * 101 + "</g>" * 101 + "</svg>", ImageTooLarge, "levels"),
        ('<?xml version="1.0" encoding="no-such"?><svg/>', ImageUnsupported, "not read"),
    ],
)
def test_svg_that_is_rejected_says_why(svg: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        render_svg(SVG, svg.encode(), 10**6)


def test_links_inside_the_document_and_anchors_are_drawn() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" stroke="red">'
        '<defs><path id="p" d="M1 1 L9 9"/></defs><use href="#p"/><a href="https://example.com">'
        '<path d="M9 1 L1 9"/></a></svg>'
    )
    png = render_svg(SVG, svg.encode(), 10**6)
    with Image.open(io.BytesIO(png)) as image:
        assert image.size == (RENDER_PX, RENDER_PX)


def test_the_size_of_an_svg_is_limited() -> None:
    with pytest.raises(ImageTooLarge, match="at most 50 are"):
        render_svg(SVG, LINE.format("black").encode(), 50)


def test_what_is_decoded_at_once_is_small_and_waits_for_nobody() -> None:
    budget = MemoryBudget(64 * 2**20)
    decoder = SketchDecoder(ImageLimits(budget=budget), StrokeLimits(), SVG)

    def is_quick(data: bytes) -> bool:
        return decoder.is_quick(EncodedImage(data))

    small, large = Image.new("L", (256, 256), 255), Image.new("RGB", (1800, 1500), "white")
    assert is_quick(encoded(small)) and not is_quick(encoded(large))
    # Of a baseline JPEG little is in memory at a time; of a progressive one every coefficient.
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", progressive=True)
    assert is_quick(encoded(large, "JPEG")) and not is_quick(buffer.getvalue())
    assert is_quick(b"\xff\xd8\xff broken") and not is_quick(encoded(small, "WEBP"))
    with budget.reserved(60 * 2**20):
        assert not is_quick(encoded(small))
    assert is_quick(encoded(small))
