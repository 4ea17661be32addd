"""Photos that look the same as one result: on every page, for every kind of search and of index."""

from __future__ import annotations

import contextlib
import io
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from index_builder.artifact import GalleryIndex, difference_hash
from index_builder.artifact.look_alikes import MAX_BITS, MIN_COSINE
from index_builder.build import BuildRequest, build_index
from index_builder.stores.plan import KindChoice
from service.config import Settings
from service.runtime.serving import load_bundle, load_retriever
from service.search.adapter_cache import AdapterCache
from service.search.gallery import GalleryKeeper
from service.search.query import SearchQuery
from service.search.results import RankedPhoto, SearchResult
from service.search.retriever import Retriever
from service.sketches.sketch import EncodedImage

Draw = Callable[[str, int], bytes]

SHAPES, EACH = 6, 5


def variant(draw: Draw, name: str, number: int, quality: int) -> bytes:
    """The shape as another file, which looks the same."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(draw(name, number))).convert("RGB").save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@pytest.fixture(params=["flat", "hnsw"])
def doubled(request: pytest.FixtureRequest, adaptable_bundle: Path, tmp_path: Path, draw: Draw) -> Iterator[Retriever]:
    """Six shapes in five files each."""
    kind: KindChoice = request.param
    lines = ["photo_path,category,price"]
    for name in ("box", "cross"):
        for number in range(SHAPES // 2):
            for copy in range(EACH):
                path = tmp_path / "photos" / name / f"{number}_{copy}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(variant(draw, name, number, 75 + 5 * copy))
                lines.append(f"{name}/{path.name},{name},{copy}")
    (tmp_path / "photos" / "photos.csv").write_text("\n".join(lines) + "\n")
    request_ = BuildRequest(tmp_path / "photos" / "photos.csv", tmp_path / "index", bundle=adaptable_bundle, kind=kind)
    build_index(request_)
    settings = Settings(index=tmp_path / "index", bundle=adaptable_bundle, online_dir=tmp_path / "online")
    opened = load_retriever(settings, load_bundle(settings))
    yield opened
    opened.close()


def ids(group: RankedPhoto) -> list[str]:
    assert group.duplicates is not None
    return [group.photo.photo_id, *(photo.photo_id for photo, _ in group.duplicates)]


def naive_groups(retriever: Retriever, ranking: list[RankedPhoto]) -> list[list[str]]:
    """Groups of a whole ranking by the definition, from the thumbnails and the vectors."""
    groups: list[list[tuple[str, int, int]]] = []
    for hit in ranking:
        with Image.open(io.BytesIO(retriever.index.thumbnail(hit.photo.photo_id).jpeg)) as thumbnail:
            looks = difference_hash(thumbnail)
        for group in groups:
            _, other_looks, other = group[0]
            cosine = float(retriever.index.vector(other) @ retriever.index.vector(hit.photo.row))
            if ((looks ^ other_looks) & (2**64 - 1)).bit_count() <= MAX_BITS and cosine >= MIN_COSINE:
                group.append((hit.photo.photo_id, looks, hit.photo.row))
                break
        else:
            groups.append([(hit.photo.photo_id, looks, hit.photo.row)])
    return [[photo_id for photo_id, _, _ in group] for group in groups]


QUERIES = [
    SearchQuery(),
    SearchQuery(mirror="true"),
    SearchQuery(focus="detail"),
    SearchQuery(categories=("box",)),
    SearchQuery(filters=("price>=2",)),
    SearchQuery(min_score=0.3),
    SearchQuery(exact=True),
]


def pages(ask: Callable[[SearchQuery], SearchResult], query: SearchQuery) -> list[RankedPhoto]:
    lengths, found = random.Random(1), list[RankedPhoto]()
    while True:
        result = ask(replace(query, k=lengths.randint(1, 3)))
        found += result.photos
        if result.next_cursor is None:
            return found
        query = replace(query, cursor=result.next_cursor)


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_search_answers_k_groups_and_each_photo_is_in_one(doubled: Retriever, draw: Draw, query: SearchQuery) -> None:
    sketch = EncodedImage(draw("box", 1))
    alone = doubled.search(sketch, replace(query, k=200, exact=True)).photos
    grouped = doubled.search(sketch, replace(query, k=200, exact=True, group_duplicates=True)).photos
    assert [ids(group) for group in grouped] == naive_groups(doubled, alone)
    assert 1 < len(grouped) < len(alone)
    assert [group.rank for group in grouped] == list(range(1, len(grouped) + 1))
    scores = {hit.photo.photo_id: hit.score for hit in alone}
    for group in grouped:
        assert [group.score, *(score for _, score in group.duplicates or ())] == [scores[name] for name in ids(group)]
    for k in (1, 2, len(grouped)):
        assert len(doubled.search(sketch, replace(query, k=k, group_duplicates=True)).photos) == k


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_pages_answer_each_group_once(doubled: Retriever, draw: Draw, query: SearchQuery) -> None:
    sketch, query = EncodedImage(draw("cross", 2)), replace(query, group_duplicates=True)
    whole = doubled.search(sketch, replace(query, k=200, exact=True)).photos
    paged = pages(lambda asked: doubled.search(sketch, asked), query)
    assert [group.rank for group in paged] == list(range(1, len(whole) + 1))
    of_photo = {name: number for number, group in enumerate(whole) for name in ids(group)}
    assert sorted(of_photo[group.photo.photo_id] for group in paged) == list(range(len(whole)))
    if doubled.index.manifest.search.is_exact:
        assert [group.photo for group in paged] == [group.photo for group in whole]


def test_similar_photos_are_grouped_as_well(doubled: Retriever) -> None:
    alone = doubled.similar("box/1_0.jpg", SearchQuery(k=200, exact=True)).photos
    grouped = doubled.similar("box/1_0.jpg", SearchQuery(k=200, exact=True, group_duplicates=True)).photos
    assert [ids(group) for group in grouped] == naive_groups(doubled, alone)
    assert "box/1_0.jpg" not in {name for group in grouped for name in ids(group)}
    paged = pages(lambda asked: doubled.similar("box/1_0.jpg", asked), SearchQuery(group_duplicates=True))
    assert len(paged) == len(grouped)


def test_without_grouping_nothing_is_said_of_duplicates(doubled: Retriever, draw: Draw) -> None:
    result = doubled.search(EncodedImage(draw("box", 1)), SearchQuery(k=200))
    assert len(result.photos) == SHAPES * EACH
    assert {hit.duplicates for hit in result.photos} == {None}


def test_photos_whose_hash_was_never_stored_are_grouped_by_their_thumbnails(doubled: Retriever, draw: Draw) -> None:
    sketch, query = EncodedImage(draw("box", 1)), SearchQuery(k=200, exact=True, group_duplicates=True)
    expected = [ids(group) for group in doubled.search(sketch, query).photos]
    # As an index of a release that knew no perceptual hashes.
    (photos,) = Path(doubled.index.files[0]).parents[2].glob("segments/*/photos.sqlite")
    with contextlib.closing(sqlite3.connect(photos)) as database, database:
        database.execute("DROP TABLE hashes")
    index = GalleryIndex.load(Path(doubled.index.files[0]).parents[2], check_files=False)
    assert index.perceptual_hashes(range(index.count)) == {}
    older = replace(doubled, index=index, _keeper=GalleryKeeper(AdapterCache()))
    assert [ids(group) for group in older.search(sketch, query).photos] == expected
    index.close()
