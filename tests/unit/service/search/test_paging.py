"""Pages of a ranking: together they are the whole ranking, whatever the first one was made of."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_builder.artifact import SearchHit
from index_builder.build import BuildRequest, build_index
from index_builder.stores.plan import KindChoice
from models.bundle import ScoreCalibration, SearchCalibration
from service.config import Settings
from service.errors import CursorInvalid, CursorStale
from service.runtime.serving import load_bundle, load_retriever
from service.search.paging import MOST_RANKED, Page, decode_cursor, digest_of, encode_cursor
from service.search.query import SearchQuery
from service.search.results import RankedPhoto, SearchResult
from service.search.retriever import Retriever
from service.sketches.sketch import EncodedImage

Draw = Callable[[str, int], bytes]


@given(
    sizes=st.lists(st.integers(1, 9), min_size=40, max_size=40),
    count=st.integers(0, 40),
    missed=st.sets(st.integers(0, 12)),
    proposed=st.booleans(),
)
def test_pages_are_the_ranking(sizes: list[int], count: int, missed: set[int], proposed: bool) -> None:
    """The first page of an approximate index lacks some rows: they come behind it, and every other in its order."""
    ranking = [SearchHit(row, 1 - row / 100) for row in range(count)]
    pages: list[list[int]] = []
    cursor = None
    for size in sizes:
        page = Page.of(size, cursor, "query")
        found = ranking if not (proposed and page.is_first) else [hit for hit in ranking if hit.row not in missed]
        hits = found[: page.before + page.k]
        pages.append([hits[position].row for position in page.positions(hits)])
        cursor = page.next_cursor(pages[-1], "state", count, proposed=proposed)
        if cursor is None:
            break
    rows = [row for page in pages for row in page]
    if proposed and len(pages) == 1:  # no further page: as without pages, an approximate answer may miss some
        assert set(rows) >= set(range(count)) - missed or len(rows) == sizes[0]
        return
    assert sorted(rows) == list(range(count))[: len(rows)] if cursor else sorted(rows) == list(range(count))
    behind = [row for page in pages[1:] for row in page]
    assert behind == sorted(behind)


def test_a_cursor_is_of_its_query_and_its_gallery() -> None:
    cursor = Page(3, "query").next_cursor([4, 5, 6], "state", 100, proposed=False)
    assert cursor is not None
    page = Page.of(5, cursor, "query")
    assert (page.k, page.offset, page.seen, page.state) == (5, 3, (), "state")
    with pytest.raises(CursorInvalid, match="another query"):
        Page.of(3, cursor, "another")
    with pytest.raises(CursorStale, match="has changed"):
        page.next_cursor([7], "another state", 100, proposed=False)


@pytest.mark.parametrize(
    "cursor",
    ["", "a", "====", "not a cursor", "ü", base64.urlsafe_b64encode(b"[]").decode(), encode_cursor("query", "s", 5),
     encode_cursor("query", "s", (-1, ())), encode_cursor("query", "s", (MOST_RANKED, ())),
     encode_cursor("query", "s", (3, (1, "2"))), encode_cursor("query", "s", (3, ())) + "A" * 3],
)  # fmt: skip
def test_what_is_no_cursor(cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        Page.of(3, cursor, "query")


def test_a_cursor_of_another_release_says_so() -> None:
    content = json.dumps([2, "query", "state", [3, []]]).encode()
    with pytest.raises(CursorInvalid, match="another release"):
        decode_cursor(base64.urlsafe_b64encode(content).decode(), "query", object)


def test_a_ranking_ends_at_its_limit() -> None:
    page = Page.of(200, encode_cursor("q", "s", (MOST_RANKED - 50, ())), "q")
    assert page.k == 50
    assert page.next_cursor(list(range(50)), "s", 10**6, proposed=False) is None


def test_digests_tell_parts_apart() -> None:
    parts: list[tuple[object, ...]] = [("a", "b"), ("ab",), (b"ab",), ("a", b"b"), (1,), ("1",), ()]
    assert len({digest_of(*part) for part in parts}) == len(parts)


def pages(retriever: Retriever, ask: Callable[[SearchQuery], SearchResult], query: SearchQuery) -> list[RankedPhoto]:
    """The photos of all pages, of varying lengths."""
    lengths = random.Random(1)
    found: list[RankedPhoto] = []
    while True:
        result = ask(replace(query, k=lengths.randint(1, 3)))
        found += result.photos
        if result.next_cursor is None:
            return found
        query = replace(query, cursor=result.next_cursor)


QUERIES = [
    SearchQuery(),
    SearchQuery(mirror="true"),
    SearchQuery(categories=("box",)),
    SearchQuery(categories=("box", "cross"), filters=("price>=1",)),
    SearchQuery(min_score=0.3),
    SearchQuery(exact=True, frame="false"),
]


@pytest.fixture(params=["flat", "hnsw"])
def opened(
    request: pytest.FixtureRequest, shapes_index: Path, adaptable_bundle: Path, tmp_path: Path, retriever: Retriever
) -> Iterator[Retriever]:
    """The shapes, in an exact and in an approximate index."""
    if request.param == "flat":
        yield retriever
        return
    kind: KindChoice = "hnsw"
    photos = Path(retriever.index.manifest.gallery.root) / "photos.csv"
    build_index(BuildRequest(photos=photos, out=tmp_path / "index", bundle=adaptable_bundle, kind=kind))
    settings = Settings(index=tmp_path / "index", bundle=adaptable_bundle, online_dir=tmp_path / "approximate")
    found = load_retriever(settings, load_bundle(settings))
    assert not found.index.manifest.search.is_exact
    yield found
    found.close()


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_searched_pages_are_one_long_answer(opened: Retriever, draw: Draw, query: SearchQuery) -> None:
    sketch = EncodedImage(draw("box", 1))
    whole = opened.search(sketch, replace(query, k=200, exact=True)).photos
    paged = pages(opened, lambda asked: opened.search(sketch, asked), query)
    assert [hit.rank for hit in paged] == list(range(1, len(whole) + 1))
    assert sorted((hit.photo.photo_id, hit.score, hit.mirrored) for hit in paged) == sorted(
        (hit.photo.photo_id, hit.score, hit.mirrored) for hit in whole
    )
    if opened.index.manifest.search.is_exact:
        assert paged == whole


def test_pages_of_similar_photos_are_one_long_answer(opened: Retriever) -> None:
    whole = opened.similar("box/1.png", SearchQuery(k=200, exact=True)).photos
    paged = pages(opened, lambda asked: opened.similar("box/1.png", asked), SearchQuery())
    assert sorted(hit.photo.photo_id for hit in paged) == sorted(hit.photo.photo_id for hit in whole)
    assert "box/1.png" not in [hit.photo.photo_id for hit in paged]


def test_confidences_go_on_over_pages(retriever: Retriever, draw: Draw) -> None:
    fitted = SearchCalibration(temperature=0.1, reference=-2.0, offset=-3.0, threshold=0.1)
    manifest = retriever.bundle.manifest.model_copy(update={"calibration": ScoreCalibration(everything=fitted)})
    calibrated = replace(retriever, bundle=replace(retriever.bundle, manifest=manifest))
    sketch = EncodedImage(draw("cross", 1))
    whole = calibrated.search(sketch, SearchQuery(k=200))
    paged = pages(calibrated, lambda asked: calibrated.search(sketch, asked), SearchQuery())
    assert paged == whole.photos and whole.photos[0].confidence is not None


def test_another_sketch_or_parameter_is_said(retriever: Retriever, draw: Draw) -> None:
    sketch, query = EncodedImage(draw("box", 1)), SearchQuery(k=2)
    behind = replace(query, cursor=retriever.search(sketch, query).next_cursor)
    assert retriever.search(sketch, replace(behind, k=3)).photos[0].rank == 3
    with pytest.raises(CursorInvalid):
        retriever.search(EncodedImage(draw("box", 2)), behind)
    others = (
        replace(behind, categories=("box",)),
        replace(behind, filters=("price>1",)),
        replace(behind, min_score=0.1),
        replace(behind, mirror="true"),
        replace(behind, group_duplicates=True),
    )
    for other in others:
        with pytest.raises(CursorInvalid):
            retriever.search(sketch, other)
    with pytest.raises(CursorInvalid):
        retriever.similar("box/1.png", behind)
