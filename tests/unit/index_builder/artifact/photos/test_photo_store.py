"""photos.sqlite: what was appended is what is read, in every thread."""

from __future__ import annotations

import shutil
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from index_builder.artifact import (
    PICTURE_SUFFIXES,
    FilterInvalid,
    IndexCorrupt,
    PhotoNotFound,
    PhotoRecord,
    Thumbnail,
    meets,
    parse_condition,
    parse_words,
    photo_words,
)
from index_builder.artifact.photos.record import MetadataValue
from index_builder.artifact.photos.store import PhotoStore
from index_builder.artifact.photos.writer import PhotoStoreWriter
from tests.unit.index_builder.artifact.photos.photo_file import COUNT, FIELDS, record, write


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("photos") / "photos.sqlite", COUNT)


@pytest.fixture
def store(path: Path) -> Iterator[PhotoStore]:
    store = PhotoStore(path, FIELDS)
    yield store
    store.close()


def test_records_come_back_with_typed_metadata(store: PhotoStore) -> None:
    assert store.count() == COUNT
    assert store.photo("00007.jpg") == record(7)
    assert store.photo("00007.jpg").metadata["sold"] is True
    assert store.photo("00008.jpg").metadata["sold"] is False
    assert store.photo("00006.jpg").metadata["sold"] is None


@pytest.mark.parametrize("rows", [[], [3], [1100, 0, 3], list(range(COUNT)), list(reversed(range(COUNT)))])
def test_records_come_in_the_order_of_the_rows(store: PhotoStore, rows: list[int]) -> None:
    assert store.photos(rows) == [record(row) for row in rows]


@pytest.mark.parametrize("rows", [[-1], [COUNT], [0, 1, COUNT + 5]])
def test_a_row_beyond_the_gallery_is_not_found(store: PhotoStore, rows: list[int]) -> None:
    with pytest.raises(PhotoNotFound, match=f"row {rows[-1]} "):
        store.photos(rows)


def test_thumbnails_belong_to_their_photo(store: PhotoStore) -> None:
    assert store.thumbnail("00042.jpg") == Thumbnail(b"jpeg 42", "etag 42")
    with pytest.raises(PhotoNotFound):
        store.thumbnail("00042.png")


def test_categories_are_those_of_the_rows(store: PhotoStore) -> None:
    categories = store.row_categories()
    assert categories.names == ("c0", "c1", "c2", "c3")
    assert categories.codes.tolist() == [row % 4 for row in range(COUNT)]


def test_the_first_photo_of_a_category_with_those_bytes(store: PhotoStore) -> None:
    # Rows 8 and 1008 have the same bytes and are both of category c0.
    assert store.with_bytes(f"{8:064x}", "c0") == record(8)
    assert store.with_bytes(f"{8:064x}", "c1") is None
    assert store.with_bytes("f" * 64, "c0") is None


def test_repeated_files_are_named_with_the_first_of_them(tmp_path: Path) -> None:
    repeated: list[tuple[str, str, str]] = []
    write(tmp_path / "photos.sqlite", COUNT, lambda writer: repeated.extend(writer.duplicates()))
    assert repeated == [(f"{row:05d}.jpg", f"f/{row:05d}.jpg", f"{row - 1000:05d}.jpg") for row in range(1000, COUNT)]


def number(value: MetadataValue) -> float:
    return float(value) if isinstance(value, (int, float)) else -1.0


def members(photo: PhotoRecord) -> tuple[str | int | float | bool, ...]:
    tags = photo.metadata["tags"]
    return tags if isinstance(tags, tuple) else ()


NAIVE: dict[str, Callable[[PhotoRecord], bool]] = {
    "price>=300": lambda photo: number(photo.metadata["price"]) >= 300,
    "row=text 7": lambda photo: photo.metadata["row"] == "text 7",
    "row!=": lambda photo: photo.metadata["row"] is not None,
    "row^=text 11": lambda photo: str(photo.metadata["row"]).startswith("text 11"),
    "row!=text 7": lambda photo: photo.metadata["row"] != "text 7",
    "sold=true": lambda photo: photo.metadata["sold"] is True,
    "sold!=false": lambda photo: photo.metadata["sold"] is not False,
    "price=": lambda photo: photo.metadata["price"] is None,
    "price in (1, 2.5, 7e2)": lambda photo: photo.metadata["price"] in (1, 2.5),
    "price not in (1, 2)": lambda photo: photo.metadata["price"] not in (1, 2),
    "price<2 OR row=text 7": lambda photo: number(photo.metadata["price"]) < 2 or photo.metadata["row"] == "text 7",
    "since>=2024": lambda photo: str(photo.metadata["since"]) >= "2024",
    "since^=2024-05": lambda photo: str(photo.metadata["since"]).startswith("2024-05"),
    "tags=red": lambda photo: "red" in members(photo),
    "tags=38": lambda photo: 38 in members(photo),
    "tags!=red": lambda photo: "red" not in members(photo),
    "tags^=re%": lambda photo: any(str(one).startswith("re%") for one in members(photo)),
    "tags in (blue, nothing)": lambda photo: "blue" in members(photo),
    "tags=": lambda photo: photo.metadata["tags"] is None,
    "category=c2": lambda photo: photo.category == "c2",
    "category != c2": lambda photo: photo.category != "c2",
    "photo_id^=0001": lambda photo: photo.photo_id.startswith("0001"),
    "width>8": lambda photo: photo.width > 8,
    "height in (9)": lambda photo: photo.height == 9,
}


@pytest.mark.parametrize("condition", NAIVE)
def test_rows_that_meet_a_condition_are_the_naive_ones(store: PhotoStore, condition: str) -> None:
    expected = [row for row in range(COUNT) if NAIVE[condition](record(row))]
    assert store.rows_where([parse_condition(condition)]).tolist() == expected


def test_conditions_add_up_and_unknown_fields_are_rejected(store: PhotoStore) -> None:
    both = [parse_condition("price>=2"), parse_condition("price<4")]
    assert store.rows_where(both).tolist() == [4, 5, 6, 7]
    with pytest.raises(FilterInvalid, match="price, row, sold"):
        store.rows_where([parse_condition("colour=red")])


@pytest.mark.parametrize("condition", NAIVE)
def test_a_single_photo_meets_a_condition_as_its_row_does(store: PhotoStore, condition: str) -> None:
    clause = parse_condition(condition)
    rows = set(store.rows_where([clause]).tolist())
    for photo in map(record, range(60)):
        own = {"category": photo.category, "photo_id": photo.photo_id, "width": photo.width, "height": photo.height}
        assert meets(clause, {**photo.metadata, **own}, FIELDS) == (photo.row in rows)


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("row<3", "row is text"),
        ("row>=a", "the build's report names it"),
        ("category<c2", "category is text"),
        ("tags>3", "a list"),
        ("price^=3", "beginning of text"),
        ("price=cheap", "is a number"),
        ("sold=maybe", "true or false"),
        ("sold<true", "true or false"),
        ("since>=yesterday", "2026-01-31"),
        ("price<3 OR row<3", "row is text"),
    ],
)
def test_a_comparison_that_does_not_fit_the_field_is_rejected(store: PhotoStore, condition: str, reason: str) -> None:
    with pytest.raises(FilterInvalid, match=reason):
        store.rows_where([parse_condition(condition)])
    with pytest.raises(FilterInvalid, match=reason):
        meets(parse_condition(condition), {}, FIELDS)


def test_an_id_is_found_in_either_form_of_unicode(tmp_path: Path) -> None:
    with PhotoStoreWriter(tmp_path / "photos.sqlite", ()) as writer:
        name = unicodedata.normalize("NFC", "größe.jpg")
        writer.append(PhotoRecord(0, name, "", name, "0" * 64, 1, 1, {}), Thumbnail(b"", ""))
    store = PhotoStore(tmp_path / "photos.sqlite", ())
    for form in ("NFC", "NFD"):
        assert store.photo(unicodedata.normalize(form, name)).row == 0
        assert store.thumbnail(unicodedata.normalize(form, name)) == Thumbnail(b"", "")
    store.close()


def test_each_thread_reads_for_itself(store: PhotoStore) -> None:
    def read(row: int) -> PhotoRecord:
        return store.photos([row])[0]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(COUNT))) == [record(row) for row in range(COUNT)]
    store.close()
    assert store.count() == COUNT  # a closed store opens again with the next query


def test_a_sound_file_has_no_problems(store: PhotoStore) -> None:
    assert store.problems() == []


def test_an_id_can_be_appended_once(tmp_path: Path) -> None:
    def again(writer: PhotoStoreWriter) -> None:
        writer.append(PhotoRecord(5, "00000.jpg", "", "", "0" * 64, 1, 1, {}), Thumbnail(b"", ""))

    with pytest.raises(sqlite3.IntegrityError):
        write(tmp_path / "photos.sqlite", 5, again)


def test_an_error_while_writing_is_the_one_that_is_raised(tmp_path: Path) -> None:
    def fail(writer: PhotoStoreWriter) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "photos.sqlite", 5, fail)


def test_what_is_open_is_read_when_its_file_is_gone(tmp_path: Path) -> None:
    path = write(tmp_path / "photos.sqlite", 3)
    store = PhotoStore(path, FIELDS)
    assert store.count() == 3
    path.rename(tmp_path / "away")
    with ThreadPoolExecutor(4) as threads:  # none of which has opened it
        assert [photo.row for photos in threads.map(store.photos, [[2], [1, 0]] * 20) for photo in photos] == [
            2, 1, 0
        ] * 20  # fmt: skip
    store.close()
    with pytest.raises(IndexCorrupt):
        store.count()


def test_a_file_of_an_earlier_release_has_its_categories_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "photos.sqlite"
    write(path, COUNT)
    fresh = PhotoStore(path, FIELDS)
    expected = fresh.row_categories()
    fresh.close()
    database = sqlite3.connect(path)
    database.executescript("DROP TABLE row_categories; DROP TABLE category_names; DROP TABLE suffixed_ids")
    database.close()
    early = PhotoStore(path, FIELDS)
    assert early.row_categories().names == expected.names
    assert early.row_categories().codes.tolist() == expected.codes.tolist()
    assert early.ids_ending(PICTURE_SUFFIXES) == frozenset()
    assert early.ids_ending((".jpg",)) == {f"{row:05d}.jpg" for row in range(COUNT)}
    early.close()


@pytest.mark.parametrize(
    "text", ["00012", "c1", "c", "text 7", '"text 7"', "red 38", '"red 38"', "re d", "5 since", "001 jpg", "zz"]
)
def test_words_are_found_with_their_table_and_without(path: Path, tmp_path: Path, text: str) -> None:
    words = parse_words(text)
    assert words is not None
    own = [photo_words(one.photo_id, one.category, one.metadata.values()) for one in map(record, range(COUNT))]
    expected = [row for row in range(COUNT) if words.meets(own[row])]
    assert PhotoStore(path, FIELDS).rows_with(words).tolist() == expected
    older = tmp_path / "older.sqlite"
    shutil.copy(path, older)
    with closing(sqlite3.connect(older)) as database:
        database.execute("DROP TABLE photo_words")
        database.commit()
    assert PhotoStore(older, FIELDS).rows_with(words).tolist() == expected
