"""manifest.csv: what is read, what is reported, and that an unusable table is rejected."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.data.datasets import (
    ColumnMissing,
    FindingKind,
    PhotoKey,
    ReadOptions,
    SplitMissing,
    TracedSketch,
    check_content,
    open_dataset,
)

Make = Callable[..., Path]


@pytest.fixture
def plain(tmp_path: Path, photo: Make, sketch: Make) -> Path:
    rows = ["sketch_path,photo_path,category,photo_id,split,person"]
    for category, split in (("cup", "train"), ("lamp", "val")):
        for number in (1, 2):
            photo(tmp_path / "photos" / category / f"{number}.jpg")
            for person in ("ann", "bob"):
                path = f"sketches/{category}/{number}/{person}.png"
                sketch(tmp_path / path)
                rows.append(f"{path},photos/{category}/{number}.jpg,{category},{number},{split},{person}")
    photo(tmp_path / "photos" / "cup" / "3.jpg")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    listed = [f"photos/{c}/{n}.jpg,{c},{n}" for c, n in (("cup", 1), ("cup", 2), ("cup", 3), ("lamp", 1), ("lamp", 2))]
    (tmp_path / "photos.csv").write_text("\n".join(["photo_path,category,photo_id", *listed]) + "\n")
    return tmp_path


def test_people_and_undivided_photos(plain: Path) -> None:
    dataset = open_dataset(plain)
    assert {record.person for record in dataset.records} == {"ann", "bob"}
    counts = dataset.counts()
    assert counts.keys() == {("train", "cup"), ("val", "lamp")}
    train = counts["train", "cup"]
    assert (train.sketches, train.drawn_photos, train.photos, train.people) == (4, 2, 3, 2)
    assert dataset.split("val").photos.keys() == {PhotoKey("lamp", "1"), PhotoKey("lamp", "2")}


def test_a_gallery_without_sketches_is_a_set(plain: Path) -> None:
    (plain / "manifest.csv").unlink()
    dataset = open_dataset(plain)
    assert not dataset.records
    assert len(dataset.photos) == 5


def test_missing_files_of_the_tables_are_reported(plain: Path) -> None:
    (plain / "photos" / "lamp" / "1.jpg").unlink()
    (plain / "sketches" / "cup" / "1" / "ann.png").unlink()
    table = plain / "manifest.csv"
    table.write_text(table.read_text() + "sketches/cup/2/bob.png,photos/cup/2.jpg,cup,2,train,bob\n")
    found = [(f.kind, f.where) for f in open_dataset(plain).flaws]
    assert found == [
        (FindingKind.DUPLICATE_ID, "sketches/cup/2/bob.png"),
        (FindingKind.MISSING_FILE, "photos/lamp/1.jpg"),
        (FindingKind.MISSING_FILE, "sketches/cup/1/ann.png"),
        (FindingKind.MISSING_PHOTO, "sketches/lamp/1/ann.png"),
        (FindingKind.MISSING_PHOTO, "sketches/lamp/1/bob.png"),
    ]


def test_a_sketch_of_several_photos_is_a_pair_with_each(plain: Path) -> None:
    table = plain / "manifest.csv"
    table.write_text(table.read_text() + "sketches/cup/2/bob.png,photos/cup/1.jpg,cup,1,train,bob\n")
    dataset = open_dataset(plain, strict=True)
    photos = [record.photo.photo_id for record in dataset.records if record.sketch.name == "sketches/cup/2/bob.png"]
    assert photos == ["2", "1"]
    assert [(f.kind, f.where) for f in dataset.findings] == [(FindingKind.SHARED_SKETCH, "sketches/cup/2/bob.png")]


def test_two_photos_of_one_identity_and_unlisted_ones_are_reported(plain: Path, photo: Make, sketch: Make) -> None:
    photo(plain / "photos" / "cup" / "other.jpg")
    photo(plain / "photos" / "new.jpg")
    sketch(plain / "sketches" / "new.png")
    table = plain / "manifest.csv"
    table.write_text(
        table.read_text()
        + "sketches/new.png,photos/cup/other.jpg,cup,1,train,\n"
        + "sketches/cup/1/ann2.png,photos/new.jpg,cup,9,train,\n"
    )
    sketch(plain / "sketches" / "cup" / "1" / "ann2.png")
    dataset = open_dataset(plain)
    assert [(f.kind, f.where) for f in dataset.flaws] == [
        (FindingKind.DUPLICATE_ID, "photos/cup/other.jpg"),
        (FindingKind.UNLISTED, "photos/new.jpg"),
    ]
    assert dataset.photos[PhotoKey("cup", "1")].path.name == "1.jpg"


def test_rows_marked_invalid_are_left_out_and_listed(plain: Path) -> None:
    table = plain / "manifest.csv"
    lines = table.read_text().splitlines()
    marked = [lines[0] + ",valid", lines[1] + ",0", *(line + ",1" for line in lines[2:])]
    table.write_text("\n".join(marked) + "\n")
    dataset = open_dataset(plain, strict=True)
    assert len(dataset.records) == 7
    assert [(f.kind, f.where) for f in dataset.findings] == [(FindingKind.MARKED, "sketches/cup/1/ann.png")]
    assert len(open_dataset(plain, options=ReadOptions(keep_marked=True)).records) == 8


def test_a_missing_column_is_named(plain: Path) -> None:
    table = plain / "manifest.csv"
    table.write_text(table.read_text().replace("photo_id", "identity", 1))
    with pytest.raises(ColumnMissing, match="'photo_id'"):
        open_dataset(plain)


def test_without_the_column_split_nothing_is_divided(plain: Path) -> None:
    table = plain / "manifest.csv"
    table.write_text(table.read_text().replace(",split,", ",part,", 1))
    dataset = open_dataset(plain, strict=True)
    assert dataset.splits == ()
    assert len(dataset.records) == 8
    with pytest.raises(SplitMissing, match="no sketches of a split 'train'; it has no split"):
        dataset.records_of("train")


def test_a_row_without_a_photo_is_a_labelled_sketch(plain: Path, sketch: Make) -> None:
    for name in ("any", "bad"):
        sketch(plain / f"{name}.png")
    header, *rows = (plain / "manifest.csv").read_text().splitlines()
    rows = [f"{row},1,x" for row in rows] + ["any.png,,cup,,val,cy,1,mug", "bad.png,,cup,,val,cy,0,mug"]
    (plain / "manifest.csv").write_text("\n".join([f"{header},valid,name", *rows]) + "\n")
    dataset = open_dataset(plain)
    (item,) = dataset.labelled
    assert (item.sketch.name, item.category, item.split, item.person) == ("any.png", "cup", "val", "cy")
    assert item.attributes == {"name": "mug"}
    assert len(dataset.records) == 8
    assert [(f.kind, f.where) for f in dataset.findings] == [(FindingKind.MARKED, "bad.png")]
    assert [item.sketch.name for item in dataset.split("val").labelled] == ["any.png"]
    assert dataset.split("train").labelled == ()


def test_further_columns_are_attributes(plain: Path) -> None:
    for table, column in ((plain / "manifest.csv", "condition"), (plain / "photos.csv", "name")):
        header, *rows = table.read_text().splitlines()
        marked = [f"{row},{'' if number else 'closer'}" for number, row in enumerate(rows)]
        table.write_text("\n".join([f"{header},{column}", *marked]) + "\n")
    dataset = open_dataset(plain)
    assert [record.attributes for record in dataset.records][:2] == [{"condition": "closer"}, {}]
    assert dataset.photos[PhotoKey("cup", "1")].attributes == {"name": "closer"}
    assert dataset.photos[PhotoKey("cup", "2")].attributes == {}


def write_strokes(root: Path, *lines: object) -> None:
    (root / "strokes.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_strokes_beside_the_table_go_with_their_sketches(plain: Path) -> None:
    drawing = [[[10.5, 200.0], [20.0, 30.0]], [[1], [2]]]
    write_strokes(plain, {"sketch_path": "sketches/cup/1/bob.png", "drawing": drawing})
    dataset = open_dataset(plain, strict=True)
    ann, bob = (record.sketch for record in dataset.records[:2])
    assert isinstance(bob, TracedSketch)
    assert ann.strokes() is None
    strokes = bob.strokes()
    assert [stroke.tolist() for stroke in strokes] == [[[10.5, 20], [200, 30]], [[1, 2]]]
    with Image.open(plain / "sketches/cup/1/bob.png") as file:  # the image is the file's, not one of the strokes
        assert np.array_equal(np.asarray(bob.image()), np.asarray(file.convert("RGB")))
    assert bob.content() == (plain / "sketches/cup/1/bob.png").read_bytes()
    assert check_content(dataset).findings == ()


def test_strokes_that_do_not_fit_are_reported(plain: Path) -> None:
    drawing = [[[0, 9], [0, 9]]]
    write_strokes(
        plain,
        {"sketch_path": "sketches/cup/1/ann.png", "drawing": "scribble"},
        {"sketch_path": "sketches/cup/1/bob.png", "drawing": drawing},
        {"sketch_path": "sketches/cup/1/bob.png", "drawing": drawing},
        {"sketch_path": "sketches/cup/7/ann.png", "drawing": drawing},
        {"drawing": drawing},
        ["no object"],
    )
    dataset = open_dataset(plain)
    assert [(f.kind, f.where) for f in dataset.findings] == [
        (FindingKind.DUPLICATE_ID, "strokes.ndjson:3"),
        (FindingKind.UNLISTED, "strokes.ndjson:4"),
        (FindingKind.UNLISTED, "strokes.ndjson:5"),
        (FindingKind.UNREADABLE, "strokes.ndjson:6"),
    ]
    added = set(check_content(dataset).findings) - set(dataset.findings)
    assert {(f.kind, f.where) for f in added} == {(FindingKind.UNREADABLE, "sketches/cup/1/ann.png")}
