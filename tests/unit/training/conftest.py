"""A made-up data set of shapes: each photo is a filled shape, each sketch its outline."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

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
