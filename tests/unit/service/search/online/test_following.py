"""A view that follows each change is the view that is made of all of them at once, and a naive search agrees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index_builder.artifact import PhotoFilter, PhotoNotFound, parse_condition
from service.search.gallery_view import GalleryView
from service.search.retriever import Retriever
from service.store.records import OnlinePhoto, PhotoPatch
from service.store.state.photo_changes import PhotoChanges

IDS = ["box/0.png", "box/1.png", "cross/2.png", "new/a", "new/b", "online/c"]
KINDS, CATEGORIES = ["put", "patch", "delete"], ["box", "cross", "new"]
STEP = st.tuples(st.sampled_from(KINDS), st.sampled_from(IDS), st.sampled_from(CATEGORIES))


def unit(number: int, dim: int) -> Any:
    vector = np.abs(np.random.default_rng(number).standard_normal(dim)).astype(np.float32)
    return vector / np.linalg.norm(vector)


@given(steps=st.lists(STEP, max_size=12), split=st.integers(1, 4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_following_is_the_same_as_beginning_anew(
    retriever: Retriever, steps: list[tuple[str, str, str]], split: int
) -> None:
    index, changes = retriever.index, PhotoChanges()
    followed = GalleryView.of(index, retriever.store, changes)
    truth = {
        record.photo_id: (record.category, index.vector(record.row), record.metadata) for record in index.records()
    }
    for number, (kind, photo_id, category) in enumerate(steps, 1):
        if kind == "put":
            vector = unit(number, index.embedding_dim)
            photo = OnlinePhoto(photo_id, category, f"{number:064x}", 9, 9, vector, {"price": number}, number)
            changes = changes.followed_by([photo], [], {}, number)
            truth[photo_id] = (category, vector, {"price": number})
        elif kind == "delete":
            changes = changes.followed_by([], [], {photo_id: number}, number)
            truth.pop(photo_id, None)
        elif photo_id in truth and changes.photo(photo_id) is None:
            changes = changes.followed_by([], [PhotoPatch(photo_id, category, {"price": None}, number)], {}, number)
            truth[photo_id] = (category, truth[photo_id][1], {})
        if number % split == 0:
            followed = GalleryView.of(index, retriever.store, changes, followed)
    followed = GalleryView.of(index, retriever.store, changes, followed)
    for view in (followed, GalleryView.of(index, retriever.store, changes)):
        check(view, truth)


def check(view: GalleryView, truth: dict[str, Any]) -> None:
    records = view.photos(view.rows.tolist())
    assert {record.photo_id: record.category for record in records} == {name: one[0] for name, one in truth.items()}
    assert view.count == len(records) == len(truth)
    counts = {name: sum(one[0] == name for one in truth.values()) for name in ("box", "cross", "new")}
    assert view.categories() == {name: count for name, count in counts.items() if count}
    query = unit(99, view.index.embedding_dim)
    scores = {name: float(one[1] @ query) for name, one in truth.items()}

    def names(where: PhotoFilter | None, k: int = 4) -> list[str]:
        hits = view.search(query, k, where, exact=False, min_score=None)
        found = [photo.photo_id for photo in view.photos([hit.row for hit in hits])]
        for name, hit in zip(found, hits, strict=True):
            assert abs(hit.score - scores[name]) < 1e-5
        return sorted(found)

    assert names(None) == sorted(sorted(scores, key=lambda name: -scores[name])[:4])
    for category in view.categories():
        where = PhotoFilter(frozenset([category]))
        assert names(where, 99) == sorted(name for name, one in truth.items() if one[0] == category)
        assert [photo.photo_id for photo in view.photos(view.rows_where(where).tolist())]
    priced = PhotoFilter(frozenset(), (parse_condition("price>=2"),))
    assert names(priced, 99) == sorted(name for name, one in truth.items() if (one[2].get("price") or 0) >= 2)
    for name in IDS:
        assert view.has_photo(name) == (name in truth)
        if name not in truth:
            with pytest.raises(PhotoNotFound):
                view.photo(name)
