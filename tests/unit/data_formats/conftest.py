"""Makers of small photos and sketches, each different from the others."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw


def _corner(path: Path) -> tuple[int, int]:
    number = zlib.crc32(str(path).encode())
    return 4 + number % 24, 4 + number // 24 % 24


@pytest.fixture
def photo() -> Callable[[Path], Path]:
    """Write a photo of 48 px: noise of its own."""

    def write(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(zlib.crc32(str(path).encode()))
        Image.fromarray(rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)).save(path)
        return path

    return write


@pytest.fixture
def sketch() -> Callable[..., Path]:
    """Write a sketch of 64 px: a box at a place of its own.

    `ink`: how it is stored, `black` on white, `white` on black, or in the `alpha` channel over black.
    """

    def write(path: Path, ink: str = "black") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        page = Image.new("L", (64, 64), 0)
        x, y = _corner(path)
        ImageDraw.Draw(page).rectangle((x, y, x + 30, y + 26), outline=255, width=3)
        if ink == "alpha":
            image = Image.new("RGBA", page.size, (0, 0, 0, 0))
            image.putalpha(page)
            image.save(path)
        else:
            Image.fromarray(np.asarray(page) if ink == "white" else 255 - np.asarray(page)).save(path)
        return path

    return write
