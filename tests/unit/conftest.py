"""Two made-up data sets: shapes with their outlines, and polygons of which some are hard to find."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

CATEGORIES = ("boxes", "discs")


def draw_shape(category: str, number: int, *, outline: bool) -> Image.Image:
    image = Image.new("RGB", (64, 64), "white")
    box = (6 + 3 * number, 8 + 2 * number, 40 + 3 * number, 30 + 5 * number)
    pen = ImageDraw.Draw(image)
    shape = pen.rectangle if category == "boxes" else pen.ellipse
    shape(box, outline="black", width=2) if outline else shape(box, fill=(200, 40 + 20 * number, 60))
    return image


@pytest.fixture
def shapes_dir(tmp_path: Path) -> Path:
    """A folder `shapes` with two categories of six photos; two sketches of photos 0 to 2 (train) and of 3 (val)."""
    root = tmp_path / "data" / "shapes"
    sketches, photos = [], []
    for category in CATEGORIES:
        for number in range(6):
            photo = f"photos/{category}/{number}.png"
            (root / photo).parent.mkdir(parents=True, exist_ok=True)
            draw_shape(category, number, outline=False).save(root / photo)
            photos.append((photo, category, number))
            for drawing in (1, 2) if number < 4 else ():
                sketch = f"sketches/{category}/{number}/{drawing}.png"
                (root / sketch).parent.mkdir(parents=True, exist_ok=True)
                draw_shape(category, number, outline=True).save(root / sketch)
                sketches.append((sketch, photo, category, number, "val" if number == 3 else "train"))
    write_table(root / "manifest.csv", ("sketch_path", "photo_path", "category", "photo_id", "split"), sketches)
    write_table(root / "photos.csv", ("photo_path", "category", "photo_id"), photos)
    return root


def write_table(path: Path, header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def _drawing(path: Path, name: str, wobble: int, seed: int) -> None:
    """A polygon of `name`'s own, its corners moved by up to `wobble` pixels."""
    corners = np.random.default_rng(zlib.crc32(name.encode())).integers(6, 58, (5, 2))
    moved = corners + np.random.default_rng(seed).integers(-wobble, wobble + 1, (5, 2))
    image = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(image).polygon([(int(x), int(y)) for x, y in moved], outline="black", width=4)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def pairs_dir(tmp_path: Path) -> Path:
    """`val`: 2 categories, 7 and 5 photos, 4 and 3 of them drawn, three to five sketches each; `train` has others.

    The category `<i>mug</i>` would be markup where it is not escaped. Photos 5 and 6 of the lamps are copies of 0.
    """
    root = tmp_path / "pairs"
    sketches, photos = [], []
    for folder, category, drawn, count in (("lamp", "lamp", 4, 7), ("mug", "<i>mug</i>", 3, 5)):
        for number in range(count):
            shape = "lamp0" if (folder, number) in (("lamp", 5), ("lamp", 6)) else f"{folder}{number}"
            _drawing(root / f"photos/{folder}/{number}.png", shape, 0, 0)
            photos.append(f"photos/{folder}/{number}.png,{category},{number},val")
            for version in range(3 + number % 3 if number < drawn else 0):
                name = f"sketches/{folder}/{number}_{version}.png"
                _drawing(root / name, shape, 3 + 5 * version, version)
                sketches.append(f"{name},photos/{folder}/{number}.png,{category},{number},val")
    _drawing(root / "photos/lamp/t.png", "lampt", 0, 0)
    photos.append("photos/lamp/t.png,lamp,t,train")
    _drawing(root / "sketches/lamp/t_0.png", "lampt", 1, 0)
    sketches.append("sketches/lamp/t_0.png,photos/lamp/t.png,lamp,t,train")
    header = "photo_path,category,photo_id,split"
    (root / "manifest.csv").write_text("\n".join([f"sketch_path,{header}", *sketches]) + "\n")
    (root / "photos.csv").write_text("\n".join([header, *photos]) + "\n")
    return root
