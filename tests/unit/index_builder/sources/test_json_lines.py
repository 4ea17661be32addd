"""JSON lines as a manifest: types of values, keys that differ, and lines that are no object."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index_builder.errors import GalleryInvalid
from index_builder.report import Note, Skipped
from index_builder.sources.base import PhotoSource, SourcePhoto
from index_builder.sources.choice import open_source


def written(photos: Path, *lines: object) -> PhotoSource:
    location = photos / "m.jsonl"
    location.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return open_source(location)


def photos_of(source: PhotoSource) -> list[SourcePhoto]:
    return [entry for entry in source.list() if isinstance(entry, SourcePhoto)]


def test_values_keep_their_types_and_missing_ones_are_unknown(photos: Path) -> None:
    source = written(
        photos,
        {"photo_path": "shoe/0.jpg", "price": 1.5, "tags": ["red", 38], "day": "2026-01-31", "new": True},
        "",
        {"photo_path": "shoe/1.jpg", "photo_id": 7, "category": "boots", "price": 2, "artist": "Ann", "day": ""},
        {"photo_path": "chair/4.jpg", "artist": None, "size": {"w": 1}},
    )
    assert [(field.name, field.type) for field in source.fields] == [
        ("price", "number"),
        ("tags", "list"),
        ("day", "date"),
        ("new", "boolean"),
        ("artist", "text"),
    ]
    first, second, third = photos_of(source)
    assert (first.photo_id, first.category) == ("shoe/0.jpg", "shoe")
    assert (second.photo_id, second.category) == ("7", "boots")
    assert first.metadata == (1.5, ("red", 38), "2026-01-31", True, None)
    assert second.metadata == (2, None, None, None, "Ann")
    assert third.metadata == (None,) * 5
    assert [note.reason for note in source.list() if isinstance(note, Note)] == ["column_ignored"]


def test_text_that_is_not_always_a_date_stays_text(photos: Path) -> None:
    source = written(photos, {"photo_path": "shoe/0.jpg", "a": "2026-01-31"}, {"photo_path": "shoe/1.jpg", "a": "soon"})
    assert [field.type for field in source.fields] == ["text"]
    assert [photo.metadata for photo in photos_of(source)] == [("2026-01-31",), ("soon",)]


@pytest.mark.parametrize("line", ["{", "[1]", "null", '"text"', "[" * 100_000, '{"photo_path": "\\ud800"'])
def test_a_line_that_is_no_object_is_named(photos: Path, line: str) -> None:
    source = written(photos, {"photo_path": "shoe/0.jpg"}, line, {"photo_path": "shoe/1.jpg"})
    assert len(photos_of(source)) == 2
    (skipped,) = (entry for entry in source.list() if isinstance(entry, Skipped))
    assert (skipped.reason, skipped.path) == ("bad_row", "m.jsonl, line 2")


def test_a_line_without_a_photo_is_named(photos: Path) -> None:
    (skipped,) = written(photos, {"price": 1}).list()
    assert isinstance(skipped, Skipped)
    assert (skipped.reason, skipped.path, skipped.detail) == ("bad_row", "m.jsonl, line 1", "photo_path is empty")


def test_a_line_or_a_table_without_bounds_is_rejected(photos: Path) -> None:
    with pytest.raises(GalleryInvalid, match="longer than"):
        written(photos, {"photo_path": "x" * 2**20})
    with pytest.raises(GalleryInvalid, match="at most 500"):
        written(photos, {f"c{number}": 1 for number in range(501)})
