from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.bundle import StrokesInvalid
from models.data.datasets import BitmapSketch, FindingKind, FormatUnknown, open_dataset
from models.data.datasets.records.bitmap_sketch import thin


def cross() -> NDArray[np.uint8]:
    """A plus of strokes two pixels wide, in the middle of 28 x 28."""
    image = Image.new("L", (28, 28), 0)
    pen = ImageDraw.Draw(image)
    pen.line((4, 14, 24, 14), fill=255, width=2)
    pen.line((14, 4, 14, 24), fill=255, width=2)
    return np.asarray(image)


def write(path: Path, *lines: str) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def test_each_line_is_a_labelled_sketch_and_what_is_no_bitmap_is_reported(tmp_path: Path) -> None:
    inks = json.dumps((cross().flatten() / 255).round(3).tolist())
    write(tmp_path / "hot dog.ndjson.gz", inks, "[0, 1, 2]", "{}", inks, "[0.5, 7, 0, 0]")
    dataset = open_dataset(tmp_path)
    assert (dataset.format, len(dataset.records)) == ("quickdraw-bitmaps", 0)
    assert [(item.sketch.name, item.category) for item in dataset.labelled] == [
        ("hot dog.ndjson.gz:1", "hot_dog"),
        ("hot dog.ndjson.gz:4", "hot_dog"),
    ]
    assert [(f.kind, f.where) for f in dataset.findings] == [
        (FindingKind.UNREADABLE, f"hot dog.ndjson.gz:{number}") for number in (2, 3, 5)
    ]
    (tmp_path / "other").mkdir()
    with pytest.raises(FormatUnknown, match="quickdraw-bitmaps"):
        open_dataset(tmp_path / "other", "quickdraw-bitmaps")


def test_redrawn_lines_are_thin_and_fill_the_canvas() -> None:
    image = BitmapSketch("x", cross()).image()
    ink = 255 - np.asarray(image.convert("L")).astype(int)
    assert (image.mode, image.size) == ("RGB", (256, 256))
    ys, _ = np.nonzero(ink > 128)
    assert ys.min() < 30
    assert ys.max() > 225  # 8 % margin
    # Away from the crossing a line crosses each row once, and is as wide as the product's own.
    widths = [(ink[row] > 128).sum() for row in (60, 70, 180, 200)]
    assert all(1 <= width <= 4 for width in widths)
    with pytest.raises(StrokesInvalid):
        BitmapSketch("blank", np.zeros((28, 28), np.uint8)).image()


def test_thinning_leaves_connected_lines_of_one_pixel() -> None:
    block = np.zeros((24, 40), bool)
    block[8:14, 4:36] = True
    line = thin(block)
    assert (line & ~block).sum() == 0
    assert (line.sum(axis=0)[8:32] == 1).all()
    lone = np.zeros((9, 9), bool)
    lone[2:7, 4] = True
    np.testing.assert_array_equal(thin(lone), lone)
