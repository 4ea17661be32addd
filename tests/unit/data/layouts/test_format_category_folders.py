"""Folders of categories without a table: sketches of a category, sketches of a photo, photos alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.data.datasets import FindingKind, FormatUnknown, PhotoKey, open_dataset

Make = Callable[..., Path]


def test_sketches_and_photos_share_categories_and_nothing_else(tmp_path: Path, photo: Make, sketch: Make) -> None:
    photo(tmp_path / "photos" / "dog" / "056_0001.jpg")
    photo(tmp_path / "photos" / "horse" / "1.jpg")
    for name in ("5281", "5282"):
        sketch(tmp_path / "sketches" / "dog" / f"{name}.png")
    sketch(tmp_path / "sketches" / "person" / "1.png")
    dataset = open_dataset(tmp_path, strict=True)
    assert dataset.format == "category-folders"
    assert dataset.records == ()
    assert [(item.category, item.sketch.name) for item in dataset.labelled] == [
        ("dog", "sketches/dog/5281.png"),
        ("dog", "sketches/dog/5282.png"),
        ("person", "sketches/person/1.png"),
    ]
    assert dataset.categories == ("dog", "horse", "person")
    assert {category: (c.photos, c.labelled) for (_, category), c in dataset.counts().items()} == {
        "dog": (1, 2),
        "horse": (1, 0),
        "person": (0, 1),
    }


def test_a_folder_of_a_photo_s_id_holds_its_sketches(tmp_path: Path, photo: Make, sketch: Make) -> None:
    photo(tmp_path / "photos" / "lamp" / "12.jpg")
    sketch(tmp_path / "sketches" / "lamp" / "12" / "anna.png")
    sketch(tmp_path / "sketches" / "lamp" / "13" / "bob.png")
    dataset = open_dataset(tmp_path)
    (record,) = dataset.records
    assert (record.photo, record.split) == (PhotoKey("lamp", "12"), "")
    assert [(f.kind, f.where) for f in dataset.findings] == [(FindingKind.MISSING_PHOTO, "sketches/lamp/13/bob.png")]


def test_photos_alone_are_a_data_set(tmp_path: Path, photo: Make) -> None:
    photo(tmp_path / "photos" / "hat" / "1.jpg")
    dataset = open_dataset(tmp_path)
    assert (len(dataset.photos), dataset.records, dataset.labelled) == (1, (), ())


def test_a_table_goes_before_the_folders(tmp_path: Path, photo: Make, sketch: Make) -> None:
    photo(tmp_path / "photos" / "hat" / "1.jpg")
    photo(tmp_path / "photos" / "hat" / "2.jpg")
    (tmp_path / "photos.csv").write_text("photo_path,category,photo_id\nphotos/hat/2.jpg,hat,2\n")
    dataset = open_dataset(tmp_path)
    assert dataset.format == "manifest"
    assert set(dataset.photos) == {PhotoKey("hat", "2")}


def test_empty_folders_are_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "photos" / "hat").mkdir(parents=True)
    with pytest.raises(FormatUnknown, match="category-folders: photos/<category>/"):
        open_dataset(tmp_path)
