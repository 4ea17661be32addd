"""Which format is recognised, what is rejected, and what an opened data set holds."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.data.datasets import (
    FORMATS,
    DatasetFlawed,
    DatasetNotFound,
    FormatAmbiguous,
    FormatUnknown,
    LayoutIncomplete,
    SplitMissing,
    check_content,
    open_dataset,
)

Make = Callable[..., Path]


@pytest.fixture
def shoes(tmp_path: Path, photo: Make, sketch: Make) -> Path:
    for split, ids in (("train", ("1", "2")), ("test", ("3",))):
        for name in ids:
            photo(tmp_path / "ShoeV2" / f"{split}B" / f"{name}.png")
            sketch(tmp_path / "ShoeV2" / f"{split}A" / f"{name}_1.png")
    return tmp_path / "ShoeV2"


def test_an_unknown_folder_is_rejected_with_what_each_format_requires(tmp_path: Path) -> None:
    with pytest.raises(FormatUnknown) as rejection:
        open_dataset(tmp_path)
    for known in FORMATS:
        assert f"{known.name}: {known.requires}" in str(rejection.value)
    with pytest.raises(DatasetNotFound, match="does not exist"):
        open_dataset(tmp_path / "nowhere")
    (tmp_path / "archive.zip").write_bytes(b"")
    with pytest.raises(DatasetNotFound, match="is a file"):
        open_dataset(tmp_path / "archive.zip")


def test_a_requested_format_must_be_there(shoes: Path) -> None:
    assert open_dataset(shoes, "qmul-folders").format == "qmul-folders"
    with pytest.raises(FormatUnknown, match="not of the format sketchy, which requires 256x256/photo"):
        open_dataset(shoes, "sketchy")
    with pytest.raises(FormatUnknown, match="no format is called 'coco'; known: auto, manifest"):
        open_dataset(shoes, "coco")


def test_two_layouts_in_one_folder_are_not_guessed_at(shoes: Path, photo: Make) -> None:
    photo(shoes / "photo" / "1.png")
    drawing = np.array([[10, 10, 0], [90, 90, 1]], dtype=np.float32)
    (shoes / "ShoeV2_Coordinate").write_bytes(pickle.dumps({"/train/1_1": drawing}))
    with pytest.raises(FormatAmbiguous, match="qmul-folders, qmul-vector"):
        open_dataset(shoes)
    assert len(open_dataset(shoes, "qmul-vector").records) == 1
    (shoes / "manifest.csv").write_text(
        "sketch_path,photo_path,category,photo_id,split\ntrainA/1_1.png,trainB/1.png,shoe,1,all\n"
    )
    assert open_dataset(shoes).format == "manifest"


def test_a_layout_without_photos_is_rejected(tmp_path: Path, sketch: Make) -> None:
    (tmp_path / "trainB").mkdir()
    sketch(tmp_path / "trainA" / "1_1.png")
    with pytest.raises(LayoutIncomplete, match=r"holds no photo; the first finding is trainA/1_1\.png"):
        open_dataset(tmp_path)


def test_the_counts_are_logged(shoes: Path, sketch: Make) -> None:
    sketch(shoes / "trainA" / "9_1.png")
    lines: list[str] = []
    open_dataset(shoes, log=lines.append)
    assert lines[0].splitlines() == [
        "ShoeV2 (qmul-folders): 3 sketches of 3 photos, 3 photos in all, 1 category",
        "  train: 2 sketches of 2 photos, 2 photos in its gallery",
        "  test: 1 sketches of 1 photos, 1 photos in its gallery",
        "  findings: 1 missing_photo",
    ]


def test_strict_reading_rejects_flaws(shoes: Path, sketch: Make) -> None:
    open_dataset(shoes, strict=True)
    sketch(shoes / "trainA" / "9_1.png")
    assert len(open_dataset(shoes).records) == 3
    with pytest.raises(DatasetFlawed, match=r"1 missing_photo; the first is trainA/9_1\.png"):
        open_dataset(shoes, strict=True)


def test_a_split_that_is_not_there_is_named(shoes: Path) -> None:
    with pytest.raises(SplitMissing, match="has no split 'val'; it has train, test"):
        open_dataset(shoes).split("val")


def test_a_split_of_photos_alone_has_a_gallery_and_no_records(shoes: Path, photo: Make) -> None:
    photo(shoes / "testB" / "4.png")
    (shoes / "testA" / "3_1.png").unlink()
    dataset = open_dataset(shoes)
    assert {key.photo_id for key in dataset.split("test").photos} == {"3", "4"}
    with pytest.raises(SplitMissing, match="no sketches of a split 'test'; it has train"):
        dataset.records_of("test")
    assert dataset.records_of("train") == dataset.records


def test_reading_twice_gives_the_same(shoes: Path) -> None:
    assert open_dataset(shoes).records == open_dataset(shoes).records


def test_content_is_checked_and_nothing_is_dropped(shoes: Path, photo: Make, sketch: Make) -> None:
    Image.new("L", (64, 64), 255).save(sketch(shoes / "trainA" / "1_2.png"))
    Image.new("L", (64, 64), 0).save(sketch(shoes / "trainA" / "1_3.png"))
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(sketch(shoes / "trainA" / "1_4.png"))
    (shoes / "trainA" / "1_5.png").write_bytes(b"no image")
    (shoes / "trainA" / "1_6.png").write_bytes((shoes / "trainA" / "2_1.png").read_bytes())
    (shoes / "testA" / "3_2.png").write_bytes((shoes / "trainA" / "1_1.png").read_bytes())
    cut = photo(shoes / "trainB" / "4.png")
    cut.write_bytes(cut.read_bytes()[:200])
    (shoes / "trainB" / "5.png").write_bytes((shoes / "trainB" / "1.png").read_bytes())
    opened = open_dataset(shoes)
    dataset = check_content(opened)
    assert sorted((f.kind.value, f.where) for f in dataset.findings) == [
        ("duplicate_content", "trainA/2_1.png"),
        ("duplicate_content", "trainB/5.png"),
        ("no_ink", "trainA/1_2.png"),
        ("no_ink", "trainA/1_3.png"),
        ("no_ink", "trainA/1_4.png"),
        ("split_leak", "testA/3_2.png"),
        ("unreadable", "trainA/1_5.png"),
        ("unreadable", "trainB/4.png"),
    ]
    assert dataset.records == opened.records
    usable = dataset.usable()
    assert len(usable.records) == len(opened.records) - 4
    assert len(usable.photos) == len(opened.photos) - 1
    assert usable.findings == dataset.findings
    with pytest.raises(DatasetFlawed):
        dataset.require_flawless()


def test_a_sketch_goes_with_its_unreadable_photo(shoes: Path) -> None:
    (shoes / "trainB" / "1.png").write_bytes(b"")
    usable = check_content(open_dataset(shoes)).usable()
    assert {record.photo.photo_id for record in usable.records} == {"2", "3"}


def test_progress_counts_every_image(shoes: Path) -> None:
    ticks: list[None] = []
    check_content(open_dataset(shoes), lambda: ticks.append(None))
    assert len(ticks) == 6
