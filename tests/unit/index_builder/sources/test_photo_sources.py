"""Which photos a folder or a manifest lists, in which order, and why the other files are skipped."""

from __future__ import annotations

import json
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from index_builder.build.listing import listed_photos
from index_builder.errors import GalleryInvalid, ParquetUnavailable
from index_builder.report import Report
from index_builder.sources.base import PhotoSource, SourcePhoto
from index_builder.sources.choice import open_source
from index_builder.sources.photo_ids import PhotoIdInvalid, category_from, photo_id_from


@dataclass(frozen=True)
class Listing:
    """What a build takes from a source: photos in the order of rows, and the reason of each file that is none."""

    source: PhotoSource
    photos: tuple[SourcePhoto, ...]
    reasons: dict[str, str]


def list_gallery(location: Path) -> Listing:
    source = open_source(location)
    path = location.parent / "report.jsonl"
    with Report(path) as report, listed_photos(source, report, path.parent) as listed:
        photos = tuple(listed)
    lines = path.read_text().splitlines()
    path.unlink()
    return Listing(source, photos, {entry["path"]: entry["reason"] for entry in map(json.loads, lines)})


def manifest(photos: Path, text: str, name: str = "manifest.csv") -> Path:
    path = photos / name
    path.write_text(text, encoding="utf-8")
    return path


def metadata(gallery: Listing) -> dict[str, dict[str, object]]:
    names = [field.name for field in gallery.source.fields]
    return {photo.photo_id: dict(zip(names, photo.metadata, strict=True)) for photo in gallery.photos}


def test_a_folder_gives_ids_in_order_and_the_first_folder_as_category(photos: Path) -> None:
    (photos / "shoe" / "boots").mkdir()
    (photos / "shoe" / "2.jpg").rename(photos / "shoe" / "boots" / "2.jpg")
    gallery = list_gallery(photos)
    assert [photo.photo_id for photo in gallery.photos] == [
        "chair/4.jpg",
        "chair/5.jpg",
        "shoe/0.jpg",
        "shoe/1.jpg",
        "shoe/3.jpg",
        "shoe/boots/2.jpg",
    ]
    assert {photo.category for photo in gallery.photos if photo.photo_id.startswith("shoe")} == {"shoe"}
    assert gallery.source.fields == ()


def test_a_gallery_reached_through_a_link_is_the_same(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(photos)
    assert list_gallery(tmp_path / "link").photos == list_gallery(photos).photos


def test_ids_are_composed_unicode_and_collisions_are_listed(photos: Path, tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        (photos / unicodedata.normalize(form, "größe.jpg")).write_bytes(b"x")
    gallery = list_gallery(photos)
    ids = [photo.photo_id for photo in gallery.photos]
    assert ids.count(unicodedata.normalize("NFC", "größe.jpg")) == 1
    assert list(gallery.reasons.values()) == ["duplicate_id"]


def test_a_manifest_names_photos_categories_ids_and_metadata(photos: Path, tmp_path: Path) -> None:
    source = manifest(
        photos,
        "photo_path,category,photo_id,price,weight,code,artist,empty\n"
        "shoe/0.jpg,footwear,a-0,10,1.5,007,ann,\n"
        './shoe/1.jpg,footwear,,12,,015,"b, c",\n'
        "chair/4.jpg,,chair-4,-3,2e1,1,,\n",
    )
    gallery = list_gallery(source)
    assert gallery.source.description.manifest == "manifest.csv"
    assert {field.name: field.type for field in gallery.source.fields} == {
        "price": "number",
        "weight": "number",
        "code": "text",
        "artist": "text",
        "empty": "text",
    }
    assert [(photo.photo_id, photo.category, photo.path) for photo in gallery.photos] == [
        ("a-0", "footwear", "shoe/0.jpg"),
        ("chair-4", "", "chair/4.jpg"),
        ("shoe/1.jpg", "footwear", "shoe/1.jpg"),
    ]
    values = metadata(gallery)
    assert values["a-0"] == {"price": 10, "weight": 1.5, "code": "007", "artist": "ann", "empty": None}
    assert values["shoe/1.jpg"] == {"price": 12, "weight": None, "code": "015", "artist": "b, c", "empty": None}
    assert values["chair-4"]["weight"] == 20.0
    assert isinstance(values["a-0"]["price"], int)
    assert gallery.reasons == {}


def test_without_a_category_column_the_first_folder_is_it(photos: Path) -> None:
    gallery = list_gallery(manifest(photos, "photo_path,photo_id\nshoe/0.jpg,x\n"))
    assert gallery.photos[0].category == "shoe"


def test_rows_that_name_no_photo_are_listed(photos: Path, tmp_path: Path) -> None:
    (photos.parent / "outside.jpg").write_bytes(b"x")
    (photos / "link.jpg").symlink_to(photos.parent / "outside.jpg")
    source = manifest(
        photos,
        "photo_path,photo_id\n"
        "shoe/0.jpg,same\nshoe/1.jpg,same\n"
        "../outside.jpg,\nshoe/../shoe/2.jpg,\n" + str(photos / "shoe" / "2.jpg") + ",\n"
        "link.jpg,\nnothing.jpg,\nshoe,\n,\nshoe/3.jpg,a//b\nshoe/3.jpg,ok,too,many\n\n",
    )
    gallery = list_gallery(source)
    assert [photo.path for photo in gallery.photos] == ["shoe/0.jpg"]
    assert gallery.reasons == {
        "shoe/1.jpg": "duplicate_id",
        "../outside.jpg": "outside_gallery",
        "shoe/../shoe/2.jpg": "outside_gallery",
        str(photos / "shoe" / "2.jpg"): "outside_gallery",
        "link.jpg": "outside_gallery",
        "nothing.jpg": "missing",
        "shoe": "not_a_file",
        "manifest.csv, row 9": "bad_row",
        "shoe/3.jpg": "unusable_name",
        "manifest.csv:12": "bad_row",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no column photo_path"),
        (b"path,category\na,b\n", "no column photo_path"),
        (b"photo_path,price,price\na,1,2\n", "a name of its own"),
        (b",photo_path\n0,a\n", "a name of its own"),
        (b"photo_path\n\xff\x81\n", "save it as UTF-8"),
        (b'photo_path\n"never closed\n', "cannot be read"),
        (b"photo_path," + b",".join(b"c%d" % i for i in range(600)) + b"\n", "at most 500"),
    ],
)
def test_a_manifest_that_is_none_is_rejected(photos: Path, content: bytes, message: str) -> None:
    (photos / "bad.csv").write_bytes(content)
    with pytest.raises(GalleryInvalid, match=message):
        list_gallery(photos / "bad.csv")


def test_a_byte_order_mark_is_no_part_of_a_name(photos: Path) -> None:
    (photos / "excel.csv").write_bytes(b"\xef\xbb\xbfphoto_path\r\nshoe/0.jpg\r\n")
    assert len(list_gallery(photos / "excel.csv").photos) == 1


def test_numbers_too_large_for_an_integer_stay_numbers(photos: Path) -> None:
    gallery = list_gallery(manifest(photos, f"photo_path,n\nshoe/0.jpg,{2**63}\nshoe/1.jpg,{2**63 - 1}\n"))
    assert metadata(gallery) == {"shoe/0.jpg": {"n": float(2**63)}, "shoe/1.jpg": {"n": 2**63 - 1}}


def test_parquet_keeps_types(photos: Path) -> None:
    table = pyarrow.table(
        {
            "photo_path": ["shoe/0.jpg", "shoe/1.jpg"],
            "category": ["footwear", None],
            "price": [1.5, None],
            "count": [3, 4],
            "sold": [True, None],
            "day": pyarrow.array([0, 1], pyarrow.date32()),
            "artist": pyarrow.array(["ann", ""]).dictionary_encode(),
        }
    )
    pyarrow.parquet.write_table(table, photos / "manifest.parquet")
    gallery = list_gallery(photos / "manifest.parquet")
    assert {field.name: field.type for field in gallery.source.fields} == {
        "price": "number",
        "count": "number",
        "sold": "boolean",
        "day": "date",
        "artist": "text",
    }
    assert [photo.category for photo in gallery.photos] == ["footwear", ""]
    assert metadata(gallery) == {
        "shoe/0.jpg": {"price": 1.5, "count": 3, "sold": True, "day": "1970-01-01", "artist": "ann"},
        "shoe/1.jpg": {"price": None, "count": 4, "sold": None, "day": "1970-01-02", "artist": None},
    }


def test_parquet_that_cannot_be_read_is_rejected(photos: Path) -> None:
    (photos / "a.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(GalleryInvalid, match="cannot be read"):
        list_gallery(photos / "a.parquet")


def test_parquet_without_pyarrow_says_what_to_install(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (photos / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(ParquetUnavailable, match="pip install pyarrow"):
        list_gallery(photos / "a.parquet")


@pytest.mark.parametrize("name", ["nowhere", "shoe/0.jpg"])
def test_what_is_no_gallery_is_rejected(photos: Path, name: str) -> None:
    with pytest.raises(GalleryInvalid):
        list_gallery(photos / name)


@pytest.mark.parametrize("text", ["", "a//b", "/a", "a/", "a/../b", "./a", "a\x00b", "a\x7f", "x" * 1025, "\udce9"])
def test_what_cannot_be_an_id(text: str) -> None:
    with pytest.raises(PhotoIdInvalid):
        photo_id_from(text)


def test_categories_come_from_ids() -> None:
    assert category_from("shoe/boots/1.jpg") == "shoe"
    assert category_from("1.jpg") == ""
