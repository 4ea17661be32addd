"""Uploaded photos: known by category and content, counted, and gone with the adapter that nobody shares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import OnlinePhotosLimit
from service.store.arrays import vector_bytes
from service.store.online_store import OnlineStore
from service.store.photos import online_photo_id
from service.store.records import EXAMPLE_PREFIX, AdapterTarget, NewAdapter, NewPhoto

MakeStore = Callable[..., OnlineStore]
MakeAdapter = Callable[..., NewAdapter]
MakePhoto = Callable[..., NewPhoto]

SHOE = AdapterTarget("category", "shoe")


@given(one=st.tuples(st.text(), st.binary()), other=st.tuples(st.text(), st.binary()))
def test_an_id_is_of_the_category_and_the_content(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    def clean(text: str) -> str:
        return text.encode("utf-8", "replace").decode().replace("\0", "")

    first, second = (clean(one[0]), one[1]), (clean(other[0]), other[1])
    assert online_photo_id(*first).startswith(EXAMPLE_PREFIX)
    assert (online_photo_id(*first) == online_photo_id(*second)) == (first == second)


def test_a_photo_that_is_there_already_stays_as_it_is(
    make_store: MakeStore, make_adapter: MakeAdapter, new_photo: MakePhoto
) -> None:
    store, photo = make_store(), new_photo(1)
    store.add(make_adapter(photos=(photo,)), 9, 9)
    changed = NewPhoto(photo.photo, photo.thumbnail, b"another file")
    second = store.add(make_adapter(seed=1, photos=(changed, new_photo(2))), 9, 9)
    assert store.image("online/1") == b"file 1"
    assert [one.photo_id for one in store.state().photos] == ["online/1", "online/2"]
    assert second.photos_added == ("online/1", "online/2")


def test_the_limit_counts_all_photos(make_store: MakeStore, make_adapter: MakeAdapter, new_photo: MakePhoto) -> None:
    store = make_store()
    store.add(make_adapter(photos=(new_photo(1), new_photo(2))), 9, 2)
    store.add(make_adapter(seed=1, photos=(new_photo(2),)), 9, 2)  # known already
    with pytest.raises(OnlinePhotosLimit, match="3 uploaded photos; at most 2"):
        store.add(make_adapter(seed=2, photos=(new_photo(3),)), 9, 2)
    assert len(store.state().photos) == 2
    assert len(store.list_adapters()) == 2


def test_photos_go_with_an_adapter_only_when_asked_and_not_shared(
    make_store: MakeStore, make_adapter: MakeAdapter, new_photo: MakePhoto
) -> None:
    store = make_store()
    first = store.add(make_adapter(photos=(new_photo(1), new_photo(2))), 9, 9).adapter_id
    second = store.add(make_adapter(seed=1, photos=(new_photo(1),)), 9, 9).adapter_id  # its support needs photo 1
    store.delete(SHOE, first, with_photos=True)
    assert [photo.photo_id for photo in store.state().photos] == ["online/1"]
    store.delete(SHOE, second)
    assert [photo.photo_id for photo in store.state().photos] == ["online/1"]


def test_each_bundle_has_its_own_embedding(
    make_store: MakeStore, make_adapter: MakeAdapter, new_photo: MakePhoto
) -> None:
    one, other = make_store("bundle-a"), make_store("bundle-b")
    one.add(make_adapter(photos=(new_photo(1),)), 9, 9)
    assert other.state().photos[0].vector is None
    vector = np.arange(6, dtype=np.float32)
    other.set_vectors({"online/1": vector_bytes(vector), "online/none": vector_bytes(vector)})
    theirs, ours = other.state().photos[0].vector, one.state().photos[0].vector
    assert theirs is not None and theirs.tolist() == vector.tolist()
    assert ours is not None and ours.tolist() != vector.tolist()


def test_photos_that_are_not_there(make_store: MakeStore, make_adapter: MakeAdapter) -> None:
    store = make_store()
    assert (store.image("online/1"), store.thumbnail("online/1"), store.support_of("adapter-1")) == (None, None, [])
    store.add(make_adapter(), 9, 9)
    assert (store.image("online/1"), store.thumbnail("online/1"), store.support_of("adapter-1")) == (None, None, [])
