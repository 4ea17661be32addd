"""The online store: durable, seen by others at once, atomic, and each bundle with its own adapters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index_builder.artifact import Thumbnail
from models.adapters import CategoryAdapter, StyleAdapter
from service.errors import (
    AdapterNotFound,
    AdaptersLimit,
    AdapterStale,
    NothingToRollBack,
    OnlineFull,
    OnlinePhotosLimit,
    OnlineTargetsLimit,
)
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget, NewAdapter, NewPhoto, StoreLimits
from service.store.state.online_state import NOTHING
from tests.unit.service.store.adding import SHOE, active, add

MakeAdapter = Callable[..., NewAdapter]
MakeStore = Callable[..., OnlineStore]
MakePhoto = Callable[..., NewPhoto]


def test_an_empty_room_touches_no_disk(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    assert store.state() is NOTHING
    assert store.list_adapters() == []
    with pytest.raises(NothingToRollBack):
        store.roll_back(SHOE)
    for change in (store.activate, store.delete):
        with pytest.raises(AdapterNotFound):
            change(SHOE, "adapter-1")
    assert list(tmp_path.iterdir()) == []


def test_an_adapter_comes_back_to_the_bit(
    make_store: MakeStore, make_adapter: MakeAdapter, new_photo: MakePhoto
) -> None:
    here, there = make_store(), make_store()
    assert there.state() is NOTHING
    new = make_adapter(photos=(new_photo(1), new_photo(2)))
    adapter_id = add(here, new)

    for store in (here, there, make_store()):  # another process's, and one after a restart
        state = store.state()
        assert state.active[SHOE] == adapter_id
        kept = store.adapter(adapter_id)
        assert isinstance(kept, CategoryAdapter) and isinstance(new.adapter, CategoryAdapter)
        assert kept.map is not None and new.adapter.map is not None
        assert kept.map.tobytes() == new.adapter.map.tobytes()
        assert (kept.mean.tobytes(), kept.scale, kept.offset) == (new.adapter.mean.tobytes(), 0.5, 0.25)
        assert [photo.photo_id for photo in state.photos] == ["online/1", "online/2"]
        vector, expected = state.photos[1].vector, new.photos[1].photo.vector
        assert vector is not None and expected is not None and vector.tobytes() == expected.tobytes()
        assert store.image("online/2") == b"file 2"
        assert store.thumbnail("online/2") == Thumbnail(b"small", "etag2")
        support = store.support_of(adapter_id)
        assert [(pair.sketch, pair.photo_id) for pair in support] == [
            (b"sketch 1", "shoe/1.png"),
            (b"sketch 2", "online/1"),
        ]
        assert [pair.vector.tobytes() for pair in support] == [pair.vector.tobytes() for pair in new.support]
        (record,) = store.list_adapters(SHOE)
        assert (record.version, record.k, record.state, record.margin) == (1, 2, "active", 0.3)
        assert record.photos_added == ("online/1", "online/2")
        assert record.leave_one_out["after"] == {"acc_at_1": 0.5, "mean_rank": 2.0, "mrr": 0.75}
        assert store.state() is state  # read again only after a change


def test_profiles_are_adapters_of_their_own(make_store: MakeStore, make_adapter: MakeAdapter) -> None:
    store = make_store()
    add(store, make_adapter())
    adapter_id = add(store, make_adapter(scope="profile"))
    assert store.state().active[AdapterTarget("profile", "shoe")] == adapter_id
    assert isinstance(store.adapter(adapter_id), StyleAdapter)
    assert store.adapter("adapter-none") is None
    assert store.state().profiles == {"shoe"}
    assert [adapter.version for adapter in store.list_adapters()] == [1, 1]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(st.tuples(st.sampled_from(["add", "idle", "activate", "roll back", "delete"]), st.integers(0, 5)))
)
def test_what_is_active_is_the_naive_stack(
    tmp_path_factory: pytest.TempPathFactory, make_adapter: MakeAdapter, steps: list[tuple[str, int]]
) -> None:
    store = OnlineStore(tmp_path_factory.mktemp("stores"), "bundle-a", 6)
    adapters: list[str] = []
    stack: list[str] = []
    for number, (step, choice) in enumerate(steps):
        if step in ("add", "idle"):
            adapters.append(add(store, make_adapter(seed=number, active=step == "add")))
            stack += adapters[-1:] if step == "add" else []
        elif step == "roll back":
            if not stack:
                with pytest.raises(NothingToRollBack):
                    store.roll_back(SHOE)
            else:
                gone = stack[-1]
                while stack and stack[-1] == gone:
                    stack.pop()
                assert store.roll_back(SHOE) == (stack[-1] if stack else None)
        elif adapters:
            adapter_id = adapters[choice % len(adapters)]
            if step == "activate":
                assert store.activate(SHOE, adapter_id).state == "active"
                stack += [adapter_id] if stack[-1:] != [adapter_id] else []
            else:
                store.delete(SHOE, adapter_id)
                adapters.remove(adapter_id)
                stack = [other for other in stack if other != adapter_id]
        assert active(store) == (stack[-1] if stack else None)
        listed = store.list_adapters(SHOE)
        assert [adapter.adapter_id for adapter in listed] == adapters[::-1]
        assert [adapter.adapter_id for adapter in listed if adapter.state == "active"] == stack[-1:]
    store.close()


def test_each_bundle_finds_its_own_adapters_again(
    make_store: MakeStore, make_adapter: MakeAdapter, new_photo: MakePhoto
) -> None:
    before = make_store("bundle-a")
    first = add(before, make_adapter(photos=(new_photo(1),)))
    add(before, make_adapter("hat", active=False))

    after = make_store("bundle-b")
    assert after.state().active == {}
    assert [adapter.adapter_id for adapter in after.state().outdated] == [first]  # the hat's never served
    assert [adapter.state for adapter in after.list_adapters(SHOE)] == ["stale"]
    assert [photo.vector for photo in after.state().photos] == [None]
    with pytest.raises(AdapterStale, match="adapters refit"):
        after.activate(SHOE, first)
    with pytest.raises(NothingToRollBack):
        after.roll_back(SHOE)

    second = add(after, make_adapter(bundle_id="bundle-b"))
    assert (active(after), active(before)) == (second, first)
    assert after.state().outdated == ()
    assert after.roll_back(SHOE) is None
    assert active(before) == first


def test_limits_leave_nothing_behind(make_store: MakeStore, make_adapter: MakeAdapter, new_photo: MakePhoto) -> None:
    store = make_store()
    first = add(store, make_adapter())
    with pytest.raises(AdaptersLimit, match="1 adapters"):
        add(store, make_adapter(seed=1), max_adapters=1)
    with pytest.raises(OnlinePhotosLimit, match="2 uploaded photos; at most 1"):
        add(store, make_adapter(seed=1, photos=(new_photo(1), new_photo(2))), max_photos=1)
    assert [adapter.adapter_id for adapter in store.list_adapters()] == [first]
    assert (active(store), store.state().photos) == (first, ())
    assert store.list_adapters(AdapterTarget("category", "hat")) == []
    add(store, make_adapter("hat"), max_adapters=1)  # each category has its own limit


def test_photos_go_with_the_adapter_that_brought_them(
    make_store: MakeStore, make_adapter: MakeAdapter, new_photo: MakePhoto
) -> None:
    store = make_store()
    first = add(store, make_adapter(photos=(new_photo(1), new_photo(2))))
    second = add(store, make_adapter(seed=1, photos=(new_photo(1), new_photo(3))))  # shares photo 1
    store.delete(SHOE, first, with_photos=True)
    assert [photo.photo_id for photo in store.state().photos] == ["online/1", "online/3"]
    store.delete(SHOE, second)
    assert len(store.state().photos) == 2


def test_two_writers_at_once(make_store: MakeStore, make_adapter: MakeAdapter) -> None:
    """The first two make the database; versions count through, and no adapter is lost."""
    stores = [make_store() for _ in range(4)]
    threads = [
        threading.Thread(target=lambda store=store: [add(store, make_adapter(seed=n)) for n in range(5)])
        for store in stores
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listed = stores[0].list_adapters(SHOE)
    assert [adapter.version for adapter in listed] == list(range(20, 0, -1))
    assert {active(store) for store in stores} == {listed[0].adapter_id}


def test_totals_are_bounded_before_work_and_when_stored(
    make_store: MakeStore, make_adapter: MakeAdapter, tmp_path: Path
) -> None:
    add(make_store(), make_adapter("shoe"))
    add(make_store(), make_adapter("ada", scope="profile"))
    used = make_store().state().used_bytes
    assert 0 < used <= sum(path.stat().st_size for path in (tmp_path / "online").iterdir())

    few = OnlineStore(tmp_path / "online", "bundle-a", 6, StoreLimits(max_targets=2))
    few.reject_when_full(AdapterTarget("category", "shoe"))
    add(few, make_adapter("shoe", seed=1))
    with pytest.raises(OnlineTargetsLimit, match="2 categories and profiles have adapters"):
        few.reject_when_full(AdapterTarget("category", "boot"))
    with pytest.raises(OnlineTargetsLimit):
        add(few, make_adapter("boot"))

    full = OnlineStore(tmp_path / "online", "bundle-a", 6, StoreLimits(max_bytes=used + 65_536))
    with pytest.raises(OnlineFull):
        add(OnlineStore(tmp_path / "online", "bundle-a", 6, StoreLimits(max_bytes=used)), make_adapter(seed=9))
    while full.state().used_bytes < used + 65_536:
        add(make_store(), make_adapter("shoe", seed=3))
    with pytest.raises(OnlineFull, match="bytes of adapters and photos are kept"):
        full.reject_when_full(SHOE)
    assert full.state().used_bytes <= used + 3 * 65_536
    newest = full.list_adapters()[0]
    full.delete(newest.target, newest.adapter_id)  # what is full can still be emptied
