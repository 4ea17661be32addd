"""Online stores of schema versions 2 and 3, written by the releases that had them, are read and changed for ever."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index_builder.artifact import Thumbnail
from service.store.database import FILE
from service.store.feedback.pairs import FeedbackStore
from service.store.jobs.job_store import JobStore
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget, PhotoPatch
from service.store.schema import SCHEMA_VERSION

SHOE = AdapterTarget("category", "shoe")


@pytest.fixture(params=[2, 3])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def folder(tmp_path: Path, version: int) -> Path:
    """A copy to open: readers of a WAL database write beside it."""
    shutil.copytree(Path(__file__).parent / f"online_v{version}", tmp_path / "online")
    return tmp_path / "online"


def schema_version(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def assert_as_written(store: OnlineStore) -> None:
    state = store.state()
    (adapter,) = store.list_adapters(SHOE)
    assert (adapter.version, adapter.state, dict(state.active)) == (1, "active", {SHOE: adapter.adapter_id})
    photos = {photo.photo_id: photo for photo in state.changes.photos}
    assert set(photos) == {"online/0123456789abcdef0123", "boots/new.jpg"}
    new = photos["boots/new.jpg"]
    assert (new.category, new.sha256, new.width, new.height) == ("boot", "cd" * 32, 50, 40)
    assert dict(new.metadata) == {"price": 12.5, "tags": ("red", "new")}
    assert new.vector is not None
    vector = 3.5 + np.arange(4) / 4
    np.testing.assert_allclose(new.vector, vector / np.linalg.norm(vector), rtol=1e-6)
    assert store.thumbnail("boots/new.jpg") == Thumbnail(b"another thumbnail", "etag-2")
    assert store.image("boots/new.jpg") == b"another file"
    (patch,) = (patch for patch in state.changes.patches if patch.photo_id == "shoe/1.jpg")
    assert (patch.category, dict(patch.metadata)) == ("sandal", {"price": 7, "tags": None})
    assert set(state.changes.deleted) == {"shoe/2.jpg"}
    numbers = [photos["online/0123456789abcdef0123"].change, new.change, patch.change]
    assert [*numbers, state.changes.deleted["shoe/2.jpg"]] == [1, 2, 3, 4]
    assert state.changes.store_id


def test_it_is_read_and_left_as_it_is(folder: Path, version: int) -> None:
    store = OnlineStore(folder, "golden-bundle", 4)
    assert_as_written(store)
    store.close()
    assert schema_version(folder) == version
    pairs = FeedbackStore(folder).pairs("shoe")
    assert pairs == ([(b"a drawing", "shoe/1.jpg")] if version >= 3 else [])


def test_a_job_that_waited_is_done_by_this_release(folder: Path) -> None:
    jobs = JobStore(folder)
    job = jobs.claim("this release")
    assert job is not None and (job.kind, job.created_by, job.total) == ("photos", "ada", 1)
    (item,) = jobs.items(job.job_id, 9)
    assert (item.item, item.image) == ('{"photo_id": "a.jpg"}', b"a file")
    jobs.end(job.job_id, "done", "")
    assert jobs.claim("this release") is None


def test_a_change_brings_it_to_this_version_and_loses_nothing(folder: Path) -> None:
    before = FeedbackStore(folder).pairs("shoe")
    store = OnlineStore(folder, "golden-bundle", 4)
    store_id = store.state().changes.store_id
    store.patch_photo(PhotoPatch("shoe/3.jpg", "boot"))
    assert schema_version(folder) == SCHEMA_VERSION
    assert_as_written(store)
    assert store.state().changes.store_id == store_id  # by which an index knows what it holds of it
    assert {patch.photo_id: patch.change for patch in store.state().changes.patches}["shoe/3.jpg"] == 5
    feedback = FeedbackStore(folder)
    assert feedback.pairs("shoe") == before
    feedback.add("boot", "boots/new.jpg", b"another drawing")
    assert feedback.pairs("boot") == [(b"another drawing", "boots/new.jpg")]
    store.close()
