"""Changes of photos in the store: numbered, merged, and read by others as they come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from index_builder.artifact import PhotoNotFound
from service.errors import OnlinePhotosLimit
from service.store.database import FILE, connect
from service.store.online_store import OnlineStore
from service.store.records import NewAdapter, NewPhoto, PhotoPatch, SealedChanges

MakeStore = Callable[..., OnlineStore]
MakePhoto = Callable[..., NewPhoto]


def test_numbers_ascend_and_others_read_what_is_new(make_store: MakeStore, new_photo: MakePhoto) -> None:
    one, other = make_store(), make_store()
    stored = one.put_photos([new_photo(1), new_photo(2)], 9)
    assert [photo.change for photo in stored] == [1, 2]
    first = other.state().changes
    (third,) = one.put_photos([new_photo(1)], 9)
    one.delete_photo("online/2")
    one.patch_photo(PhotoPatch("shoe/1", "boot", {"price": 3}))
    one.patch_photo(PhotoPatch("shoe/1", None, {"size": 4}))
    second = other.state().changes
    photos, patches, deleted = second.since(first.change)
    assert ([photo.change for photo in photos], deleted) == ([third.change], ["online/2"])
    assert patches == [PhotoPatch("shoe/1", "boot", {"price": 3, "size": 4}, second.change)]
    assert second.change > third.change > first.change and first.generation == second.generation
    fresh = make_store().state().changes
    assert (fresh.photos[0].change, dict(fresh.deleted), fresh.patches) == (
        third.change,
        dict(second.deleted),
        second.patches,
    )


def test_what_was_deleted_is_not_described_and_comes_back_with_an_upload(
    make_store: MakeStore, new_photo: MakePhoto
) -> None:
    store = make_store()
    store.patch_photo(PhotoPatch("online/1", "boot"))
    store.delete_photo("online/1")
    with pytest.raises(PhotoNotFound):
        store.patch_photo(PhotoPatch("online/1", "boot"))
    store.put_photos([new_photo(1)], 9)
    state = store.state()
    assert ([photo.category for photo in state.photos], state.changes.deleted, state.changes.patches) == (
        ["shoe"], {}, (),
    )  # fmt: skip


def test_what_the_index_holds_is_not_read_and_numbers_go_on_behind_it(
    make_store: MakeStore, new_photo: MakePhoto, tmp_path: Path
) -> None:
    store = make_store()
    store.put_photos([new_photo(number) for number in (1, 2, 3)], 9)
    database = connect(tmp_path / "online" / FILE)
    store_id = database.execute("SELECT store_id FROM totals").fetchone()[0]
    database.close()

    def sealed(change: int, of: str = store_id) -> OnlineStore:
        return OnlineStore(tmp_path / "online", "bundle-a", 6, sealed=SealedChanges(of, change))

    assert [photo.photo_id for photo in sealed(2).state().photos] == ["online/3"]
    assert sealed(3).state().photos == () and sealed(3).state().photo_count == 3
    assert len(sealed(3, "another store").state().photos) == 3
    ahead = sealed(40)  # as after a backup was put back
    (photo,) = ahead.put_photos([new_photo(4)], 9)
    assert photo.change == 41 and [one.photo_id for one in ahead.state().photos] == ["online/4"]


def test_photos_of_an_adapter_leave_as_deleted_ones(
    make_store: MakeStore, make_adapter: Callable[..., NewAdapter], new_photo: MakePhoto
) -> None:
    store, other = make_store(), make_store()
    adapter = store.add(make_adapter(photos=(new_photo(1),)), 9, 9)
    before = other.state().changes
    store.delete(adapter.target, adapter.adapter_id, with_photos=True)
    assert other.state().changes.since(before.change) == ([], [], ["online/1"])
    store.add(make_adapter(seed=1, photos=(new_photo(1),)), 9, 9)
    assert [photo.photo_id for photo in other.state().photos] == ["online/1"] and not other.state().changes.deleted


def test_a_file_that_is_known_is_found_by_its_hash(make_store: MakeStore, new_photo: MakePhoto) -> None:
    store, new = make_store(), new_photo(1)
    assert store.content_of(new.photo.sha256) is None
    store.put_photos([new], 9)
    known = store.content_of(new.photo.sha256)
    assert known is not None and known.image == new.image and known.thumbnail.jpeg == new.thumbnail.jpeg
    assert make_store("another-bundle").content_of(new.photo.sha256) is None


def test_one_photo_too_many_stores_none_of_them(make_store: MakeStore, new_photo: MakePhoto) -> None:
    store = make_store()
    store.put_photos([new_photo(1)], 2)
    with pytest.raises(OnlinePhotosLimit):
        store.put_photos([new_photo(1), new_photo(2), new_photo(3)], 2)
    assert [photo.change for photo in store.state().photos] == [1]
    assert store.state().photo_count == 1
