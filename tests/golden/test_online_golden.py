"""An online store written by the first release of schema version 1 is read as it was meant, for ever."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index_builder.artifact import Thumbnail
from models.adapters import CategoryAdapter, StyleAdapter
from service.errors import OnlineCorrupt, OnlineSchemaUnsupported
from service.store.database import FILE
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget

GOLDEN = Path(__file__).parent / "online_v1"
SHOE, ADA = AdapterTarget("category", "shoe"), AdapterTarget("profile", "ada")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy to open: readers of a WAL database write beside it."""
    shutil.copytree(GOLDEN, tmp_path / "online")
    return tmp_path / "online"


def quarters(*shape: int, start: float = 1.0) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = (start + np.arange(int(np.prod(shape)), dtype=np.float32) / 4).astype(np.float32)
    return numbers.reshape(shape)


def test_schema_version_1_is_read(folder: Path) -> None:
    store = OnlineStore(folder, "golden-bundle", 4)
    second, first = store.list_adapters(SHOE)
    assert [(one.version, one.state, one.activated) for one in (first, second)] == [
        (1, "idle", True),
        (2, "active", True),
    ]
    assert (first.bundle_id, first.adaptation_id, first.method) == ("golden-bundle", "golden-adaptation", "adaptive")
    assert (first.k, first.margin, first.timings_ms) == (2, 0.25, {"fit": 1.5})
    assert first.leave_one_out["before"] == {"acc_at_1": 0.5, "mean_rank": 2.0, "mrr": 0.75}
    assert first.photos_added == ("online/0123456789abcdef0123",)
    support = store.support_of(first.adapter_id)
    assert [(pair.sketch, pair.photo_id) for pair in support] == [
        (b'{"strokes": [[[1, 2], [3, 4]]]}', "shoe/1.jpg"),
        (b"a sketch's file", "online/0123456789abcdef0123"),
    ]
    np.testing.assert_allclose(support[0].vector, quarters(4, start=0.5) / np.linalg.norm(quarters(4, start=0.5)))

    adapter = store.adapter(first.adapter_id)
    assert isinstance(adapter, CategoryAdapter) and adapter.map is not None and adapter.sketch_mean is not None
    assert (adapter.scale, adapter.offset) == (0.5, 0.25)
    np.testing.assert_array_equal(adapter.mean, quarters(4))
    np.testing.assert_array_equal(adapter.map, quarters(4, 3))
    np.testing.assert_array_equal(adapter.sketch_mean, quarters(4, start=2.0))
    (profile,) = store.list_adapters(ADA)
    style = store.adapter(profile.adapter_id)
    assert isinstance(style, StyleAdapter) and profile.state == "idle" and profile.margin is None
    np.testing.assert_array_equal(style.shift, quarters(4, start=-1.0))

    state = store.state()
    assert dict(state.active) == {SHOE: second.adapter_id}
    assert (set(state.profiles), len(state.outdated)) == ({"ada"}, 0)
    (photo,) = state.photos
    assert (photo.category, photo.sha256, photo.width, photo.height) == ("shoe", "ab" * 32, 30, 20)
    assert photo.vector is not None and abs(float(np.linalg.norm(photo.vector)) - 1) < 1e-6
    assert store.image(photo.photo_id) == b"a photo's file"
    assert store.thumbnail(photo.photo_id) == Thumbnail(b"a thumbnail", "etag-1")
    store.close()


def test_schema_version_1_is_changed(folder: Path) -> None:
    store = OnlineStore(folder, "golden-bundle", 4)
    second, first = (adapter.adapter_id for adapter in store.list_adapters(SHOE))
    assert store.roll_back(SHOE) == first
    store.delete(SHOE, second)
    assert [adapter.adapter_id for adapter in store.list_adapters(SHOE)] == [first]
    store.close()


def test_another_bundle_finds_its_adapters_stale(folder: Path) -> None:
    store = OnlineStore(folder, "another-bundle", 4)
    assert {adapter.state for adapter in store.list_adapters()} == {"stale"}
    assert [adapter.target for adapter in store.state().outdated] == [SHOE]  # the profile's was never active
    store.close()


@pytest.mark.parametrize("version", [6, 99])
def test_another_schema_version_is_rejected_and_left_alone(folder: Path, version: int) -> None:
    with closing(sqlite3.connect(folder / FILE)) as database:
        database.execute(f"PRAGMA user_version = {version}")
        database.commit()
    before = (folder / FILE).read_bytes()
    store = OnlineStore(folder, "golden-bundle", 4)
    for read in (store.state, store.list_adapters, lambda: store.delete(SHOE, "adapter-1")):
        with pytest.raises(OnlineSchemaUnsupported, match=f"schema version {version}; this release reads version 1"):
            read()
    assert (folder / FILE).read_bytes() == before


def test_a_file_that_is_no_database_is_corrupt(folder: Path) -> None:
    (folder / FILE).write_bytes(b"no database" * 500)
    with pytest.raises(OnlineCorrupt) as caught:
        OnlineStore(folder, "golden-bundle", 4).state()
    assert not isinstance(caught.value, OnlineSchemaUnsupported)
