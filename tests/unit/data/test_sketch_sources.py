"""Sketches from files and from strokes: what they look like, where they are drawn, when they are copies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.bundle import ImageUnsupported, StrokesInvalid
from models.data.datasets import ImageSketch, JsonStrokeSketch, StrokeSketch
from models.data.datasets.records.sketch_source import draw_in_place, split_strokes

Make = Callable[..., Path]
POINTS = np.array([[10, 20, 0], [10, 220, 1], [128, 128, 1], [200, 20, 0], [240, 20, 0]], dtype=np.float32)


@pytest.mark.parametrize("ink", ["black", "white", "alpha"])
def test_ink_differs_from_its_ground_however_it_is_stored(tmp_path: Path, sketch: Make, ink: str) -> None:
    source = ImageSketch("s.png", sketch(tmp_path / "s.png", ink=ink))
    image = source.image()
    assert (image.mode, image.size) == ("RGB", (64, 64))
    grey = np.asarray(image.convert("L")).astype(int)
    ground = grey[0, 0]
    share = (np.abs(grey - ground) > 128).mean()
    assert 0.05 < share < 0.4
    assert source.strokes() is None
    assert source.content() == (tmp_path / "s.png").read_bytes()


def test_a_file_is_read_when_it_is_needed(tmp_path: Path) -> None:
    source = ImageSketch("s.png", tmp_path / "s.png")
    with pytest.raises(FileNotFoundError):
        source.image()
    source.path.write_bytes(b"no image")
    with pytest.raises(ImageUnsupported):
        source.image()
    Image.new("L", (8, 8), 255).save(source.path)
    assert source.image().size == (8, 8)


def test_points_are_cut_after_each_pen_up() -> None:
    strokes = split_strokes(POINTS)
    assert [stroke.tolist() for stroke in strokes] == [
        [[10, 20], [10, 220]],
        [[128, 128]],
        [[200, 20], [240, 20]],
    ]
    assert split_strokes(np.empty((0, 3), np.float32)) == ()
    assert len(split_strokes(np.array([[1, 1, 1], [2, 2, 1]], np.float32))) == 2


def test_strokes_keep_their_place_on_the_canvas() -> None:
    grey = np.asarray(StrokeSketch("s", POINTS).image().convert("L"))
    assert grey.shape == (256, 256)
    for x, y in ((10, 100), (128, 128), (220, 20)):
        assert grey[y, x] < 128
    assert grey[60:120, 60:250].min() == 255
    moved = POINTS + np.array([5, 0, 0], np.float32)
    assert np.array_equal(np.roll(grey, 5, axis=1), np.asarray(StrokeSketch("s", moved).image().convert("L")))


def test_the_same_strokes_have_the_same_content() -> None:
    assert StrokeSketch("a", POINTS).content() == StrokeSketch("b", POINTS.copy()).content()
    assert StrokeSketch("a", POINTS).content() != StrokeSketch("a", POINTS[::-1].copy()).content()


def test_a_drawing_far_off_its_canvas_or_without_strokes_is_rejected() -> None:
    with pytest.raises(StrokesInvalid, match="far off its canvas of 256 x 256"):
        draw_in_place((np.array([[0, 0], [5000, 10]], np.float32),))
    with pytest.raises(StrokesInvalid, match="no strokes"):
        draw_in_place(())


def test_fs_coco_s_points_are_shares_of_the_canvas(tmp_path: Path) -> None:
    path = tmp_path / "1.json"
    path.write_text(
        '[{"coordinates": [0.25, 0.5], "pen_state": [0, 1, 0]}, {"coordinates": [0.75, 0.5], "pen_state": [1, 0, 0]},'
        ' {"coordinates": [0.5, 1.0], "pen_state": [0, 1, 0]}]'
    )
    source = JsonStrokeSketch("1.json", path)
    assert [stroke.tolist() for stroke in source.strokes()] == [[[64, 128], [192, 128]], [[128, 256]]]
    assert np.asarray(source.image().convert("L"))[128, 100] < 128
    assert source.content() == path.read_bytes()
