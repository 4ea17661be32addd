"""Quick, Draw! drawings: a category and no photo, strokes read line by line, broken lines reported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.bundle import StrokesInvalid
from models.data.datasets import ColumnMissing, FindingKind, SplitMissing, check_content, open_dataset

CORNER = [[[10, 10, 90], [10, 200, 200]], [[30], [40]]]


def write(path: Path, *drawings: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"word": path.stem, "drawing": drawing}) + "\n" for drawing in drawings))


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    write(tmp_path / "strokes" / "cup.ndjson", CORNER, [[[0, 255], [0, 255]]])
    write(tmp_path / "strokes" / "hot_dog.ndjson", [[[5, 250], [9, 9]]])
    (tmp_path / "kinds.csv").write_text("kind,split,accepted_names\ncup,train,mug\nhot_dog,val,\n")
    return tmp_path


def test_every_line_is_a_labelled_sketch(kinds: Path) -> None:
    dataset = open_dataset(kinds, strict=True)
    assert (dataset.format, dataset.records, dict(dataset.photos)) == ("quickdraw", (), {})
    assert [(item.sketch.name, item.category, item.split) for item in dataset.labelled] == [
        ("strokes/cup.ndjson:1", "cup", "train"),
        ("strokes/cup.ndjson:2", "cup", "train"),
        ("strokes/hot_dog.ndjson:1", "hot_dog", "val"),
    ]
    assert [item.attributes for item in dataset.labelled] == [{"accepted_names": name} for name in ("mug", "mug", "")]
    assert dataset.categories == ("cup", "hot_dog")
    assert dataset.splits == ("train", "val")
    assert dataset.counts()["train", "cup"].labelled == 2
    assert dataset.headline.endswith("(quickdraw): 3 sketches without a photo, 0 photos in all, 2 categories")


def test_strokes_are_those_of_the_line_in_their_order(kinds: Path) -> None:
    sketch = open_dataset(kinds).labelled[0].sketch
    strokes = sketch.strokes()
    assert strokes is not None
    assert [stroke.tolist() for stroke in strokes] == [[[10, 10], [10, 200], [90, 200]], [[30, 40]]]
    assert all(stroke.dtype == np.float32 for stroke in strokes)
    drawn = np.asarray(sketch.image().convert("L"))
    assert drawn.shape == (256, 256)
    assert drawn[100, 10] < 128  # on the first stroke
    assert drawn[40, 30] < 128  # the dot
    assert drawn[20:180, 60:250].min() == 255


def test_a_split_has_its_own_kinds_and_no_pairs(kinds: Path) -> None:
    val = open_dataset(kinds).split("val")
    assert [item.category for item in val.labelled] == ["hot_dog"]
    assert not val.photos
    with pytest.raises(SplitMissing, match="it has no sketches"):
        open_dataset(kinds).records_of("val")


def test_files_in_the_folder_itself_are_read_without_a_table(tmp_path: Path) -> None:
    write(tmp_path / "cup.ndjson", CORNER)
    (item,) = open_dataset(tmp_path).labelled
    assert (item.sketch.name, item.split) == ("cup.ndjson:1", "")
    assert open_dataset(tmp_path).splits == ()


def test_lines_are_cut_by_bytes_whatever_ends_them(tmp_path: Path) -> None:
    lines = [
        json.dumps({"word": word, "drawing": [[[n, 9], [9, n]]]}, ensure_ascii=False)
        for n, word in enumerate("caféñ日")
    ]
    (tmp_path / "cup.ndjson").write_bytes("\r\n".join([*lines[:3], "", "   ", *lines[3:]]).encode())
    labelled = open_dataset(tmp_path).labelled
    assert [item.sketch.name for item in labelled] == [f"cup.ndjson:{n}" for n in (1, 2, 3, 6, 7, 8)]
    for number, item in enumerate(labelled):
        strokes = item.sketch.strokes()
        assert strokes is not None
        assert strokes[0].tolist() == [[number, 9], [9, number]]
        assert item.sketch.content().strip() == lines[number].encode()


def test_the_table_and_the_files_are_compared(kinds: Path) -> None:
    write(kinds / "strokes" / "owl.ndjson", CORNER)
    (kinds / "strokes" / "hot_dog.ndjson").unlink()
    dataset = open_dataset(kinds)
    assert [(f.kind, f.where) for f in dataset.findings] == [
        (FindingKind.MISSING_FILE, "hot_dog.ndjson"),
        (FindingKind.UNLISTED, "strokes/owl.ndjson"),
    ]
    assert {item.category for item in dataset.split("train").labelled} == {"cup", "owl"}  # undivided: in every split
    (kinds / "kinds.csv").write_text("name\ncup\n")
    with pytest.raises(ColumnMissing, match=r"kinds\.csv lacks the column 'kind'"):
        open_dataset(kinds)


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[1, 2]",
        "{}",
        '{"drawing": []}',
        '{"drawing": [[[], []]]}',
        '{"drawing": [[[1, 2], [3]]]}',
        '{"drawing": [[[1, 2]]]}',
        '{"drawing": 7}',
        '{"drawing": {"a": 1}}',
        '{"drawing": [[["x"], ["y"]]]}',
        '{"drawing": [[[1, NaN], [3, 4]]]}',
        '{"drawing": [[[1, 1e300], [3, 4]]]}',
        '{"drawing": [[[1, 5000], [3, 4]]]}',
        "[" * 100_000,
    ],
)
def test_a_broken_line_is_found_and_the_others_are_read(kinds: Path, line: str) -> None:
    path = kinds / "strokes" / "cup.ndjson"
    good = path.read_text().splitlines()
    path.write_text("\n".join([good[0], line, "", good[1]]) + "\n")
    dataset = open_dataset(kinds)
    assert [item.sketch.name for item in dataset.labelled][:3] == [f"strokes/cup.ndjson:{n}" for n in (1, 2, 4)]
    with pytest.raises(StrokesInvalid):
        dataset.labelled[1].sketch.image()
    checked = check_content(dataset)
    assert [(f.kind, f.where) for f in checked.findings] == [(FindingKind.UNREADABLE, "strokes/cup.ndjson:2")]
    assert len(checked.usable().labelled) == 3


def test_copies_are_found_within_and_across_splits(kinds: Path) -> None:
    line = (kinds / "strokes" / "cup.ndjson").read_text().splitlines()[0]
    for kind in ("cup", "hot_dog"):
        with (kinds / "strokes" / f"{kind}.ndjson").open("a") as file:
            file.write(line + "\n")
    findings = check_content(open_dataset(kinds)).findings
    assert [(f.kind, f.where) for f in findings] == [
        (FindingKind.DUPLICATE_CONTENT, "strokes/cup.ndjson:3"),
        (FindingKind.SPLIT_LEAK, "strokes/hot_dog.ndjson:2"),
    ]
    assert findings[0].detail == "a copy of strokes/cup.ndjson:1, which is of the category cup as well"
