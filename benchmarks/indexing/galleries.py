"""Galleries of any size from few photos: each file is a photo cut out, toned and encoded otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

CATEGORIES = 100
LONGER_PX = 160  # of the files: decoding one takes about as long as reading it
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "gallery"


def photo_paths(folder: Path) -> list[Path]:
    """The photos below a folder, in the order of their paths."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)


def read_originals(folder: Path, longer_px: int = LONGER_PX, most: int = 200) -> list[Image.Image]:
    """Some photos of a folder, evenly chosen, scaled to that longer side: small enough to be kept in memory."""
    paths = photo_paths(folder)
    originals = []
    for path in paths[:: max(1, len(paths) // most)]:
        with Image.open(path) as image:
            original = image.convert("RGB")
        original.thumbnail((longer_px, longer_px))
        originals.append(original)
    return originals


def encode_anew(folder: Path, originals: Sequence[Image.Image], numbers: range) -> None:
    """A JPEG for each number, in one of a hundred folders; a number gives the same bytes each time."""
    for number in numbers:
        rng = np.random.default_rng(number)
        original = originals[number % len(originals)]
        left, top = (int(rng.integers(0, 1 + side // 4)) for side in original.size)
        right, bottom = (side - int(rng.integers(0, 1 + side // 4)) for side in original.size)
        photo = ImageEnhance.Brightness(original.crop((left, top, right, bottom))).enhance(rng.uniform(0.6, 1.3))
        path = folder / f"c{number % CATEGORIES:03d}" / f"{number:07d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        photo.save(path, quality=int(rng.integers(60, 92)))
