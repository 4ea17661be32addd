"""Text on pictures, in the font that Pillow brings."""

from __future__ import annotations

from typing import TypeAlias

from PIL import ImageFont

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


def printable(text: str) -> str:
    """The text with a question mark for each character that the font lacks: it has those of latin-1."""
    return text.encode("latin-1", "replace").decode("latin-1")


def shortened(text: str, font: Font, width_px: float) -> str:
    """The text made printable; where it is wider than `width_px`, its beginning and three dots that fit together.

    The dots alone where no character fits beside them.
    """
    text = printable(text)
    if font.getlength(text) <= width_px:
        return text
    while text and font.getlength(text + "...") > width_px:
        text = text[:-1]
    return text + "..."
