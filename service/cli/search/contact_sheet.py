"""One picture of an answer: the sketch as the model sees it, beside the photos in their order."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

_CELL_PX = 200
_CAPTION_PX = 34
_GAP_PX = 12
_COLUMNS = 5
_FONT_PX = 13
_PAPER, _INK, _FAINT, _FRAME = (255, 255, 255), (28, 28, 34), (110, 110, 120), (11, 87, 164)


@dataclass(frozen=True)
class Tile:
    """A photo on the sheet: an encoded picture and two lines below it."""

    picture: bytes
    title: str
    subtitle: str


def contact_sheet(sketch: Image.Image, tiles: Sequence[Tile]) -> Image.Image:
    """RGB: the sketch, framed, at the left; the tiles beside it in rows of five."""
    columns = max(1, min(_COLUMNS, len(tiles)))
    rows = max(1, -(-len(tiles) // _COLUMNS))
    pitch_x, pitch_y = _CELL_PX + _GAP_PX, _CELL_PX + _CAPTION_PX + _GAP_PX
    sheet = Image.new("RGB", (2 * _GAP_PX + pitch_x * (columns + 1), _GAP_PX + pitch_y * rows), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT_PX)

    sheet.paste(sketch.convert("RGB").resize((_CELL_PX, _CELL_PX), Image.Resampling.LANCZOS), (_GAP_PX, _GAP_PX))
    corner = (_GAP_PX - 2, _GAP_PX - 2, _GAP_PX + _CELL_PX + 1, _GAP_PX + _CELL_PX + 1)
    draw.rectangle(corner, outline=_FRAME, width=2)
    draw.text((_GAP_PX, _GAP_PX + _CELL_PX + 4), "the sketch, as the model sees it", fill=_FRAME, font=font)
    for place, tile in enumerate(tiles):
        left = 2 * _GAP_PX + pitch_x * (place % _COLUMNS + 1)
        top = _GAP_PX + pitch_y * (place // _COLUMNS)
        _draw_tile(sheet, tile, left, top, font)
    return sheet


def _draw_tile(sheet: Image.Image, tile: Tile, left: int, top: int, font: Font) -> None:
    draw = ImageDraw.Draw(sheet)
    with Image.open(io.BytesIO(tile.picture)) as picture:
        small = picture.convert("RGB")
    small.thumbnail((_CELL_PX, _CELL_PX), Image.Resampling.LANCZOS)
    sheet.paste(small, (left + (_CELL_PX - small.width) // 2, top + (_CELL_PX - small.height) // 2))
    below = top + _CELL_PX + 2
    draw.text((left, below), _fitted(tile.title, font), fill=_INK, font=font)
    draw.text((left, below + _FONT_PX + 2), _fitted(tile.subtitle, font), fill=_FAINT, font=font)


def _fitted(text: str, font: Font) -> str:
    """As much of the end of `text` as fits into a cell: file names differ at their end."""
    text = text.encode("latin-1", "replace").decode("latin-1")  # all that the built-in font has
    if font.getlength(text) <= _CELL_PX:
        return text
    while text and font.getlength("..." + text) > _CELL_PX:
        text = text[1:]
    return "..." + text
