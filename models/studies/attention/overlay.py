"""Images with what is looked at laid over them, and rows of those as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.data.images.captions import shortened

PANEL_PX = 240
_GAP_PX, _FONT_PX, _TITLE_PX = 12, 17, 15
_PAPER, _INK, _MUTED = (255, 254, 251), (29, 27, 24), (101, 95, 85)
_FOR, _AGAINST = (44, 71, 197), (192, 44, 29)  # the report's accent, and a red
_STRONGEST = 0.72  # of the colour, where a map is strongest


@dataclass(frozen=True)
class Panel:
    """An image of PANEL_PX and a line below it."""

    image: Image.Image
    caption: str


@dataclass(frozen=True)
class Row:
    """Panels side by side under a title."""

    title: str
    panels: Sequence[Panel]


def overlay(image: Image.Image, values: NDArray[np.floating], strongest: float, *, smooth: bool = False) -> Image.Image:
    """(g, g) over an image: blue for positive values, red for negative ones, the more colour the nearer to `strongest`.

    `smooth` interpolates between cells; without it each cell is seen as it is.
    """
    size = (PANEL_PX, PANEL_PX)
    shares = np.clip(np.abs(values) / max(strongest, 1e-12), 0, 1).astype(np.float32)
    resampling = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    alpha = Image.fromarray(shares * (255 * _STRONGEST), mode="F").resize(size, resampling)
    # Bicubic interpolation overshoots beside steep edges, and a byte would wrap around.
    mask = Image.fromarray(np.clip(np.asarray(alpha), 0, 255).astype(np.uint8))
    signs = Image.fromarray(np.where(values < 0, 255, 0).astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
    colour = Image.composite(Image.new("RGB", size, _AGAINST), Image.new("RGB", size, _FOR), signs)
    return Image.composite(colour, image.convert("RGB").resize(size, Image.Resampling.LANCZOS), mask)


def picture(heading: str, rows: Sequence[Row]) -> Image.Image:
    """RGB: the heading, then the rows below each other."""
    columns = max(len(row.panels) for row in rows)
    font, small = ImageFont.load_default(_FONT_PX), ImageFont.load_default(_TITLE_PX)
    row_px = _TITLE_PX + PANEL_PX + _FONT_PX + 3 * _GAP_PX
    size = (columns * (PANEL_PX + _GAP_PX) + _GAP_PX, 2 * _GAP_PX + _FONT_PX + row_px * len(rows))
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP_PX, _GAP_PX), shortened(heading, font, size[0] - 2 * _GAP_PX), fill=_INK, font=font)
    top = 2 * _GAP_PX + _FONT_PX
    for row in rows:
        draw.text((_GAP_PX, top + 2), shortened(row.title, small, size[0] - 2 * _GAP_PX), fill=_MUTED, font=small)
        for number, panel in enumerate(row.panels):
            left = _GAP_PX + number * (PANEL_PX + _GAP_PX)
            sheet.paste(panel.image, (left, top + _TITLE_PX + _GAP_PX))
            below = top + _TITLE_PX + PANEL_PX + _GAP_PX + 4
            draw.text((left, below), shortened(panel.caption, small, PANEL_PX), fill=_INK, font=small)
        top += row_px
    return sheet
