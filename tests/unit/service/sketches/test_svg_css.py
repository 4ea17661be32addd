"""SVG with the CSS of browsers and what editors put beside a drawing: drawn as it is meant, or named."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.images import ImageUnsupported
from models.sandbox import Sandbox
from service.sketches.svg.document import read_document
from service.sketches.svg.rendering import render_svg, svg_sandbox

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">{}</svg>'
LINE = 'd="M10 10 L60 20 L40 70" stroke="black" stroke-width="4" fill="none"'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = svg_sandbox()
    yield made
    made.close()


def drawn(sandbox: Sandbox, document: str | bytes) -> NDArray[np.uint8]:
    data = document if isinstance(document, bytes) else document.encode()
    with Image.open(io.BytesIO(render_svg(sandbox, data, 2**20))) as image:
        return np.asarray(image.convert("RGBA"))


@pytest.mark.parametrize(
    ("style", "attribute"),
    [
        ("transform: translate(10px, 5px)", "translate(10 5)"),
        ("transform:translateX(10px) translateY(-5px);", "translate(10 -5)"),
        ("opacity:1;transform:scale(.5) rotate(30deg)", "scale(.5) rotate(30)"),
        ("transform: rotate(0.25turn) translate(0,-100px)", "rotate(90) translate(0 -100)"),
        ("transform:matrix(1, 0, 0.5, 1, 0, 0)", "matrix(1 0 .5 1 0 0)"),
        ("transform:scaleX(.5) skewX(10deg) scaleY(.9)", "scale(.5 1) skewX(10) scale(1 .9)"),
        ("transform:none", ""),
        ("text-transform:uppercase;transform-origin:50% 50%", ""),
    ],
)
def test_a_transform_of_css_is_the_attribute(sandbox: Sandbox, style: str, attribute: str) -> None:
    by_css = drawn(sandbox, SVG.format(f'<g style="{style}"><path {LINE}/></g>'))
    by_attribute = drawn(sandbox, SVG.format(f'<g transform="{attribute}"><path {LINE}/></g>'))
    assert np.abs(by_css.astype(int) - by_attribute.astype(int)).max() <= 1  # rounding of an edge
    plain = drawn(sandbox, SVG.format(f"<path {LINE}/>"))
    assert (by_css != plain).any() == bool(attribute)


def test_css_goes_before_the_attribute(sandbox: Sandbox) -> None:
    both = SVG.format(f'<path transform="scale(2)" style="transform:scale(.5)" {LINE}/>')
    assert (drawn(sandbox, both) == drawn(sandbox, SVG.format(f'<path transform="scale(.5)" {LINE}/>'))).all()


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ('<g style="transform:translate(50%, 0)"/>', "translate"),
        ('<g style="transform:rotate3d(1,0,0,20deg)"/>', "rotate3d"),
        ('<g style="transform:rotate(20deg);transform-origin:50px 50px"/>', "transform-origin"),
        ('<g style="transform:translate(calc(1px + 2px))"/>', "calc"),
        ("<style>g{transform:scale(2)}</style>", "style sheet sets transform"),
        ('<path stroke="oklch(0.4 0.1 200)"/>', "oklch"),
        ('<path style="stroke:color-mix(in srgb, red, blue)"/>', "color-mix"),
        ('<path style="stroke-width:calc(2px * 2)"/>', "calc"),
        ("<style>path{stroke:lab(20 0 0)}</style>", "lab"),
        ("<foreignObject/>", "foreignObject"),
    ],
)
def test_what_would_be_drawn_otherwise_is_named(inner: str, said: str) -> None:
    with pytest.raises(ImageUnsupported, match=said):
        read_document(SVG.format(inner).encode())


def test_an_animation_and_a_plain_sheet_are_none_of_that(sandbox: Sandbox) -> None:
    sheet = "<style>@keyframes a{from{transform:scale(0)}to{transform:none}}path{stroke:rgb(0,0,0)}</style>"
    assert (drawn(sandbox, SVG.format(f"{sheet}<path {LINE}/>")) == drawn(sandbox, SVG.format(f"<path {LINE}/>"))).all()


@pytest.mark.parametrize(
    "colour",
    ["light-dark(black, white)", "light-dark(rgb(0, 0, 0), rgb(255, 255, 255))", "light-dark(#000, var(--d, #fff))"],
)
def test_the_colour_on_light_ground_is_drawn(sandbox: Sandbox, colour: str) -> None:
    """As exports of draw.io have them."""
    found = drawn(sandbox, SVG.format(f'<path {LINE} style="stroke: {colour};"/>'))
    assert (found == drawn(sandbox, SVG.format(f"<path {LINE}/>"))).all()


def test_what_illustrator_keeps_for_itself_is_left_out(sandbox: Sandbox) -> None:
    declared = '<!DOCTYPE svg [<!ENTITY ns_ai "http://ns.adobe.com/AdobeIllustrator/10.0/">]>'
    kept = '<foreignObject requiredExtensions="&ns_ai;" width="1" height="1"><i:pgf xmlns:i="&ns_ai;"/></foreignObject>'
    document = declared + SVG.format(f"<switch>{kept}<g><path {LINE}/></g></switch>")
    assert (drawn(sandbox, document) == drawn(sandbox, SVG.format(f"<path {LINE}/>"))).all()


def test_every_wide_encoding_is_read(sandbox: Sandbox) -> None:
    plain = SVG.format(f"<path {LINE}/>")
    for encoding in ("utf-16", "utf-16-be", "utf-32"):
        assert (drawn(sandbox, plain.encode(encoding)) == drawn(sandbox, plain)).all()
