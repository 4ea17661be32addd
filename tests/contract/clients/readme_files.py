"""What the examples of the clients' pages name: blocks of code, pictures, photos of the gallery."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image

SHOWN_URL = "http://127.0.0.1:8000"
SKETCHES = ("mug.png", "hat.png", "new.jpg", "2.jpg", "drawing-1.png", "drawing-2.png", "drawings/a.png")
PHOTO_IDS = ("mug/1.jpg", "mug/2.jpg", "shoe/305.jpg", "shoe/17.jpg", "shoe/3.jpg", "shoe/4.jpg")


def blocks_of(page: Path, language: str) -> list[str]:
    """Its blocks of code in a language."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def write_pictures(folder: Path, drawing: Callable[[str, int], Image.Image]) -> None:
    """The pictures that examples read, in a new folder."""
    (folder / "drawings").mkdir(parents=True)
    for number, name in enumerate(SKETCHES):
        drawing(("box", "cross")[number % 2], number // 2).save(folder / name)
