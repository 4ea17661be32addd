"""A gallery in several segments, some rows of which are deleted, answers as the same gallery in one part does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_builder.artifact import (
    GalleryIndex,
    IndexCorrupt,
    MetadataField,
    PhotoFilter,
    PhotoNotFound,
    PhotoRecord,
    Thumbnail,
    layout,
    parse_condition,
)
from index_builder.artifact.manifest import BuildSummary, Facing, GallerySource, IndexManifest, SegmentEntry
from index_builder.artifact.photos.writer import PhotoStoreWriter
from index_builder.artifact.staging import locked, new_segment, new_staging
from index_builder.publish import publish
from index_builder.report import Report
from index_builder.segments.assemble import named_segments, write_rows
from index_builder.segments.seal import seal
from index_builder.stores.choice import build_store
from index_builder.stores.plan import KindChoice, choose_plan
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Vectors

DIM = 6
FIELDS = (MetadataField(name="price", type="number"), MetadataField(name="tags", type="list"))


def record(number: int) -> PhotoRecord:
    category = "abc"[number % 3]
    photo_id = f"{category}/{number:03d}.jpg"
    metadata = {"price": None if number % 5 == 0 else number % 7, "tags": ("even", number) if number % 2 == 0 else ()}
    return PhotoRecord(0, photo_id, category, photo_id, f"{number % 11:064x}", 10 + number, 20, metadata)


def thumbnail(number: int) -> Thumbnail:
    return Thumbnail(f"jpeg {number}".encode(), f"{number:016x}")


def vector(number: int) -> Vectors:
    # Few distinct ones, so that ties are everywhere, and their order by photo id is tested.
    values: Vectors = np.random.default_rng(number % 13).standard_normal(DIM).astype(np.float32)
    return values / np.float32(np.linalg.norm(values))


def write_segment(out: Path, numbers: Sequence[int], kind: KindChoice) -> tuple[SegmentEntry, list[str]]:
    """A sealed segment of these photos, and their ids in the order of its rows."""
    staging = new_segment(out)
    plan = choose_plan(len(numbers), DIM, kind)
    ordered = sorted(numbers, key=lambda number: record(number).photo_id)
    with (
        VectorWriter(staging / layout.VECTORS, DIM) as vectors,
        PhotoStoreWriter(staging / layout.PHOTOS, FIELDS) as photos,
    ):
        for row, number in enumerate(ordered):
            photos.append(replace(record(number), row=row), thumbnail(number))
            vectors.append(vector(number)[None])
    build_store(staging, plan, count=len(numbers), dim=DIM, threads=1)
    entry = seal(staging, bundle_id="tiny", dim=DIM, count=len(numbers), fields=FIELDS, search=plan)
    return entry, [record(number).photo_id for number in ordered]


def write_version(
    out: Path, parts: Sequence[Sequence[int]], *, deleted: frozenset[int] = frozenset(), kind: KindChoice = "flat"
) -> GalleryIndex:
    """Published segments of these photos, some of them deleted; a photo of several parts is that of the last."""
    with locked(out):
        staging = new_staging(out)
        with Report(staging / layout.REPORT):
            pass
        entries: list[SegmentEntry] = []
        places: dict[str, tuple[int, int]] = {}
        for number, part in enumerate(parts):
            entry, ids = write_segment(out, part, kind)
            entries.append(entry)
            places |= {photo_id: (number, row) for row, photo_id in enumerate(ids)}
        gone = {record(number).photo_id for number in deleted}
        live = [places[photo_id] for photo_id in sorted(places) if photo_id not in gone]
        segments, rows = named_segments(entries, np.array(live, np.int32))
        files = (layout.REPORT, *write_rows(staging, segments, rows))
        manifest = IndexManifest(
            created_at="2026-01-01T00:00:00+00:00",
            inkseek_version="0",
            bundle_id="tiny",
            embedding_dim=DIM,
            count=len(live),
            gallery=GallerySource(root=str(out)),
            metadata_fields=FIELDS,
            search=segments[0].search,
            facing={"a": Facing(one_way=True, asymmetry=0.5)},
            build=BuildSummary(seconds=0.0, photos_per_s=0.0),
            segments=segments,
            files={name: layout.hash_file(staging / name) for name in files},
        )
        return GalleryIndex.load(out, version=publish(out, staging, manifest))


def assert_equal_answers(one: GalleryIndex, many: GalleryIndex) -> None:
    assert many.problems() == one.problems() == []
    assert (many.count, many.categories()) == (one.count, one.categories())
    rows = list(range(one.count))
    assert many.photos(rows) == one.photos(rows) == list(many.records()) == list(one.records())
    every = np.arange(one.count)
    for some in (every, every[::3], every[1:4]):
        assert many.vectors_of(some).tobytes() == np.ascontiguousarray(one.vectors_of(some)).tobytes()
    for known in one.photos(rows):
        assert many.photo(known.photo_id) == known
        assert many.thumbnail(known.photo_id) == one.thumbnail(known.photo_id)
        assert many.photo_with_bytes(known.sha256, known.category) == one.photo_with_bytes(known.sha256, known.category)
    queries = np.stack([vector(number) for number in range(4)])
    clauses = [(), ("price>=3",), ("tags=even",), ("price=", "category!=a"), ("photo_id^=b/ OR tags=4",)]
    filters = [PhotoFilter(conditions=tuple(map(parse_condition, texts))) for texts in clauses]
    filters += [PhotoFilter(frozenset({name})) for name, _ in one.categories()]
    for where in (None, *filters):
        for k in (1, 5, one.count + 3):
            expected = one.search(queries, k, where=where, exact=True)
            assert many.search(queries, k, where=where, exact=True) == expected
            assert many.search(queries, k, where=where) == one.search(queries, k, where=where)


@settings(max_examples=25, deadline=None)
@given(
    dealt=st.lists(st.integers(0, 3), min_size=2, max_size=40),
    repeated=st.sets(st.integers(0, 39)),
    deleted=st.sets(st.integers(1, 39)),
)
def test_segments_answer_as_one_part_does(
    tmp_path_factory: pytest.TempPathFactory, dealt: list[int], repeated: set[int], deleted: set[int]
) -> None:
    root = tmp_path_factory.mktemp("indexes")
    numbers = range(len(dealt))
    parts = [[number for number in numbers if dealt[number] == part] for part in range(4)]
    parts.append([number for number in numbers if number in repeated])  # embedded anew: the old rows are deleted
    many = write_version(root / "many", [part for part in parts if part], deleted=frozenset(deleted))
    one = write_version(root / "one", [[number for number in numbers if number not in deleted]])
    assert one.manifest.is_one_part
    assert_equal_answers(one, many)
    for number in deleted & set(numbers):
        with pytest.raises(PhotoNotFound):
            many.photo(record(number).photo_id)
        with pytest.raises(PhotoNotFound):
            many.thumbnail(record(number).photo_id)
    one.close()
    many.close()


@pytest.mark.parametrize("kind", ["hnsw", "sq8", "ivfpq"])
def test_approximate_segments_never_answer_a_deleted_photo(tmp_path: Path, kind: KindChoice) -> None:
    deleted = frozenset(range(0, 120, 3))  # all of category a, where some queries lie
    many = write_version(tmp_path, [range(0, 60), range(60, 120)], deleted=deleted, kind=kind)
    assert not many.manifest.is_exact
    for number in range(13):
        hits = many.search(vector(number)[None], 30)[0]
        assert len(hits) == 30
        assert {record.category for record in many.photos([hit.row for hit in hits])} == {"b", "c"}
    assert many.problems() == []
    many.close()


def test_rows_that_contradict_the_segments_are_rejected(tmp_path: Path) -> None:
    index = write_version(tmp_path, [[0, 1, 2], [3, 4]], deleted=frozenset([1]))
    path = layout.version_dir(tmp_path, index.version) / layout.ROWS
    index.close()
    rows = np.load(path)
    for changed in (rows[::-1], rows[:-1], rows + 1, rows.astype(np.int64), np.array([[0, 0]] * 4, np.int32)):
        np.save(path, changed)
        with pytest.raises(IndexCorrupt, match="rows"):
            GalleryIndex.load(tmp_path, check_files=False)
