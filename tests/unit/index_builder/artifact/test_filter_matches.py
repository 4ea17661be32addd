"""Filters to rows: the naive match, the remembered answers, and how many of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from index_builder.artifact import (
    CategoryNotFound,
    FilterInvalid,
    MetadataField,
    PhotoFilter,
    PhotoRecord,
    Thumbnail,
    parse_condition,
)
from index_builder.artifact.photos.store import PhotoStore
from index_builder.artifact.photos.writer import PhotoStoreWriter
from index_builder.artifact.segments.matches import FilterMatches

FIELDS = (MetadataField(name="n", type="number"),)
CATEGORIES = ["", "shoe", "chair", "shoe", "lamp", "", "chair", "shoe"]


@pytest.fixture
def photos(tmp_path: Path) -> PhotoStore:
    with PhotoStoreWriter(tmp_path / "photos.sqlite", FIELDS) as writer:
        for row, category in enumerate(CATEGORIES):
            record = PhotoRecord(row, f"{row}", category, f"{row}", f"{row:064x}", 1, 1, {"n": row})
            writer.append(record, Thumbnail(b"", ""))
    return PhotoStore(tmp_path / "photos.sqlite", FIELDS)


def where(*categories: str, conditions: tuple[str, ...] = ()) -> PhotoFilter:
    return PhotoFilter(frozenset(categories), tuple(map(parse_condition, conditions)))


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (where(), [0, 1, 2, 3, 4, 5, 6, 7]),
        (where("shoe"), [1, 3, 7]),
        (where("shoe", "lamp"), [1, 3, 4, 7]),
        (where(""), [0, 5]),
        (where(conditions=("n>=5",)), [5, 6, 7]),
        (where("chair", conditions=("n>=5",)), [6]),
        (where("lamp", conditions=("n>5",)), []),
        (where(conditions=("n>2", "n<5")), [3, 4]),
    ],
)
def test_rows_are_those_of_the_definition(photos: PhotoStore, filter_: PhotoFilter, expected: list[int]) -> None:
    rows = FilterMatches(photos).rows(filter_)
    assert rows.tolist() == expected
    with pytest.raises(ValueError, match="read-only"):
        rows[:] = 0


def test_categories_are_counted_by_name(photos: PhotoStore) -> None:
    assert FilterMatches(photos).category_counts() == [("", 2), ("chair", 2), ("lamp", 1), ("shoe", 3)]


def test_what_cannot_match_is_an_error_each_time(photos: PhotoStore) -> None:
    matches = FilterMatches(photos)
    for _ in range(2):
        with pytest.raises(CategoryNotFound, match="boots"):
            matches.rows(where("shoe", "boots"))
        with pytest.raises(FilterInvalid, match="colour"):
            matches.rows(where(conditions=("colour=red",)))


def test_the_filters_used_last_are_remembered(photos: PhotoStore) -> None:
    matches = FilterMatches(photos, remembered=2)
    shoe, chair, lamp = where("shoe"), where("chair"), where("lamp")
    first = matches.rows(shoe)
    assert matches.rows(where("shoe")) is first
    chairs = matches.rows(chair)
    assert matches.rows(shoe) is first  # used again, so the chairs are the older ones now
    matches.rows(lamp)
    assert matches.rows(shoe) is first
    again = matches.rows(chair)
    assert again is not chairs
    assert again.tolist() == chairs.tolist()
