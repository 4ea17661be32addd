"""Makers of small photos and sketches, each different from the others."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw


def _seed(path: Path, root: Path) -> int:
    """The same in every run, wherever the temporary folder is."""
    return zlib.crc32(path.relative_to(root).as_posix().encode())


@pytest.fixture
def photo(tmp_path: Path) -> Callable[[Path], Path]:
    """Write a photo of 48 px: noise of its own."""

    def write(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(_seed(path, tmp_path))
        Image.fromarray(rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)).save(path)
        return path

    return write


@pytest.fixture
def sketch(tmp_path: Path) -> Callable[..., Path]:
    """Write a sketch of 64 px: a box of its own.

    `ink`: how it is stored, `black` on white, `white` on black, or in the `alpha` channel over black.
    """

    def write(path: Path, ink: str = "black") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        page = Image.new("L", (64, 64), 0)
        left, top, right, bottom = np.random.default_rng(_seed(path, tmp_path)).integers(0, 16, 4).tolist()
        ImageDraw.Draw(page).rectangle((2 + left, 2 + top, 44 + right, 44 + bottom), outline=255, width=3)
        if ink == "alpha":
            image = Image.new("RGBA", page.size, (0, 0, 0, 0))
            image.putalpha(page)
            image.save(path)
        else:
            Image.fromarray(np.asarray(page) if ink == "white" else 255 - np.asarray(page)).save(path)
        return path

    return write
