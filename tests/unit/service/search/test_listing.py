"""The gallery page by page: every photo once, in order, and nothing is skipped by what comes meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import FilterInvalid, GalleryIndex
from index_builder.build import BuildRequest, build_index
from service.errors import CursorInvalid, CursorStale, UnknownCategory
from service.search.gallery_view import GalleryView
from service.search.listing import ListQuery, list_photos
from service.search.paging import encode_cursor
from service.search.retriever import Retriever
from service.store.online_store import OnlineStore
from service.store.records import OnlinePhoto
from service.store.state.photo_changes import PhotoChanges


@pytest.fixture
def make_view(retriever: Retriever) -> Callable[..., GalleryView]:
    """The shapes with uploads of these numbers."""

    def make(*uploads: int, index: GalleryIndex | None = None) -> GalleryView:
        vector = np.eye(1, retriever.index.embedding_dim, dtype=np.float32)[0]
        photos = tuple(OnlinePhoto(f"online/{n}", "box", f"{n:064x}", 30, 20, vector) for n in uploads)
        return GalleryView.of(index or retriever.index, retriever.store, PhotoChanges().followed_by(photos, (), {}, 0))

    return make


def pages(view: GalleryView, query: ListQuery) -> list[list[str]]:
    found = []
    while True:
        page = list_photos(view, query)
        found.append([photo.photo_id for photo in page.photos])
        if page.next_cursor is None:
            return found
        query = replace(query, cursor=page.next_cursor)


@pytest.mark.parametrize("limit", [1, 3, 5, 10, 11, 1000])
@pytest.mark.parametrize(
    ("query", "matches"),
    [
        (ListQuery(), lambda name: True),
        (ListQuery(categories=("box",)), lambda name: name.startswith(("box", "online"))),
        (ListQuery(filters=("price>=2",)), lambda name: name.endswith(("2.png", "3.png"))),
        (ListQuery(categories=("box",), filters=("price in (1, 3)",)), lambda name: name in ("box/1.png", "box/3.png")),
        (ListQuery(filters=("category!=box",)), lambda name: name.startswith("cross")),
        (ListQuery(filters=("category not in (box, cross)",)), lambda name: False),
        (ListQuery(filters=("photo_id^=cross/",)), lambda name: name.startswith("cross")),
    ],
)
def test_every_photo_comes_once_in_order(
    make_view: Callable[..., GalleryView], limit: int, query: ListQuery, matches: Callable[[str], bool]
) -> None:
    view = make_view(5, 1)
    every = [photo.photo_id for photo in view.photos(range(view.count))]
    assert every == [*sorted(every[:8]), "online/5", "online/1"]
    expected = [name for name in every if matches(name)]
    found = pages(view, replace(query, limit=limit))
    assert [name for page in found for name in page] == expected
    assert all(len(page) == limit for page in found[:-1])
    assert len(found) == max(1, -(-len(expected) // limit))
    assert list_photos(view, query).total == len(expected)


def test_uploads_that_come_and_go_meanwhile(make_view: Callable[..., GalleryView]) -> None:
    first = list_photos(make_view(5), ListQuery(limit=3))
    behind = ListQuery(limit=50, cursor=first.next_cursor)
    assert [photo.photo_id for photo in list_photos(make_view(5, 6), behind).photos][-2:] == ["online/5", "online/6"]
    at_an_upload = ListQuery(limit=50, cursor=list_photos(make_view(5, 6), ListQuery(limit=9)).next_cursor)
    assert [photo.photo_id for photo in list_photos(make_view(4, 5, 7), at_an_upload).photos] == ["online/7"]
    with pytest.raises(CursorStale):
        list_photos(make_view(6), at_an_upload)


def test_another_index_or_query_makes_a_cursor_useless(
    make_view: Callable[..., GalleryView], retriever: Retriever, adaptable_bundle: Path, tmp_path: Path
) -> None:
    cursor = list_photos(make_view(), ListQuery(limit=3)).next_cursor
    photos = Path(retriever.index.manifest.gallery.root)
    build_index(BuildRequest(photos=photos, out=tmp_path / "index", bundle=adaptable_bundle))
    another = GalleryIndex.load(tmp_path / "index")
    store = OnlineStore(tmp_path / "online", retriever.bundle.bundle_id, 6)
    with pytest.raises(CursorStale, match="begin again"):
        list_photos(GalleryView.of(another, store, PhotoChanges()), ListQuery(limit=3, cursor=cursor))
    another.close()
    with pytest.raises(CursorInvalid, match="another query"):
        list_photos(make_view(), ListQuery(categories=("box",), cursor=cursor))
    for broken in ("", "x", encode_cursor("q", "s", 1), encode_cursor("q", "s", [1])):
        with pytest.raises(CursorInvalid):
            list_photos(make_view(), ListQuery(cursor=broken))


def test_a_wrong_filter_is_said_as_by_a_search(make_view: Callable[..., GalleryView]) -> None:
    with pytest.raises(UnknownCategory, match="close ones are box"):
        list_photos(make_view(), ListQuery(categories=("bxo",)))
    with pytest.raises(FilterInvalid):
        list_photos(make_view(), ListQuery(filters=("colour=red",)))
