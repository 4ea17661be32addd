"""Mirrored sketches and the photos of a gallery's manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.data.datasets import (
    ColumnMissing,
    DatasetNotFound,
    ImageSketch,
    MirroredSketch,
    StrokeSketch,
    mirrored,
    open_dataset,
    read_photos,
)

POINTS = np.array([[10, 20, 0], [10, 220, 1], [200, 20, 0], [240, 20, 1]], dtype=np.float32)


def test_an_image_is_mirrored_pixel_by_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "s.png")
    sketch = MirroredSketch(ImageSketch("s.png", tmp_path / "s.png"))
    found = np.asarray(sketch.image())
    assert all((found[:, 8 - column] == pixels[:, column]).all() for column in range(9))
    assert sketch.name == "s.png"
    assert sketch.strokes() is None
    assert sketch.content() != (tmp_path / "s.png").read_bytes()


def test_strokes_are_mirrored_on_their_canvas() -> None:
    sketch = MirroredSketch(StrokeSketch("s", POINTS))
    strokes = sketch.strokes()
    assert strokes is not None
    assert [stroke.tolist() for stroke in strokes] == [[[246, 20], [246, 220]], [[56, 20], [16, 20]]]
    image = np.asarray(sketch.image().convert("L"))
    drawn = np.asarray(StrokeSketch("t", np.array([[246, 20, 0], [246, 220, 1]], np.float32)).image().convert("L"))
    assert ((drawn < 128) <= (image < 160)).all()


def test_a_mirrored_set_keeps_its_photos_and_names(shapes_dir: Path) -> None:
    upright = open_dataset(shapes_dir)
    turned = mirrored(upright)
    assert turned.name == "shapes, sketches mirrored"
    assert turned.photos == upright.photos
    assert [record.photo for record in turned.records] == [record.photo for record in upright.records]
    assert [record.sketch.name for record in turned.records] == [record.sketch.name for record in upright.records]
    for before, after in zip(upright.records, turned.records, strict=True):
        assert (np.asarray(after.sketch.image()) == np.asarray(before.sketch.image())[:, ::-1]).all()


def test_a_manifest_of_photos_keeps_further_columns(tmp_path: Path) -> None:
    table = tmp_path / "manifest.csv"
    table.write_text("photo_path,category,photo_id,name\na/1.jpg,a,one,An egg\na/2.jpg,a,,\n")
    first, second = read_photos(table)
    assert (first.key.category, first.key.photo_id, first.path) == ("a", "one", tmp_path / "a/1.jpg")
    assert first.attributes == {"name": "An egg"}
    assert second.key.photo_id == "a/2.jpg"
    table.write_text("photo_path,name\n")
    with pytest.raises(ColumnMissing, match="category"):
        read_photos(table)
    with pytest.raises(DatasetNotFound, match="manifest of photos"):
        read_photos(tmp_path)
