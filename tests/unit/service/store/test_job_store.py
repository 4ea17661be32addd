"""Jobs in the database: one at a time, taken over from the dead, and cancelled for good."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from models.errors import InkseekError
from service.changes.errors import JobsLimit
from service.changes.rebuilding import queue_rebuild
from service.errors import OnlineFull
from service.store.database import FILE
from service.store.jobs.job_store import JobStore
from service.store.jobs.records import Deletion, ItemChange, ItemProblem, JobItem, JobRecord
from service.store.online_store import OnlineStore
from service.store.records import NewPhoto, PhotoPatch
from service.store.schema import SCHEMA_VERSION

MakeStore = Callable[..., OnlineStore]
MakePhoto = Callable[..., NewPhoto]


def anything(waiting: Sequence[JobRecord]) -> None:
    pass


def problem(change: ItemChange, error: InkseekError) -> ItemProblem:
    return ItemProblem(change.position, change.photo_id, type(error).__name__, str(error))


def add(jobs: JobStore, count: int = 3) -> JobRecord:
    return jobs.add("photos", [JobItem(n, json.dumps(["x"]), b"file") for n in range(count)], "ada", 2**30, anything)


@pytest.fixture
def jobs(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "online")


def test_nothing_there_is_no_job(jobs: JobStore, tmp_path: Path) -> None:
    assert (jobs.every(), jobs.get("job-1"), jobs.claim("a"), jobs.items("job-1", 9)) == ([], None, None, [])
    assert not (tmp_path / "online").exists()  # looking makes no database


def test_one_job_runs_at_a_time_in_the_order_they_came(jobs: JobStore) -> None:
    first, second = add(jobs), add(jobs)
    assert [job.job_id for job in jobs.every()] == [second.job_id, first.job_id]
    claimed = jobs.claim("one")
    assert claimed is not None and (claimed.job_id, claimed.state) == (first.job_id, "running")
    assert jobs.claim("other") is None
    jobs.end(first.job_id, "done", "all of it")
    following = jobs.claim("other")
    assert following is not None and following.job_id == second.job_id
    ended = jobs.get(first.job_id)
    assert ended is not None and (ended.state, ended.detail) == ("done", "all of it")


def test_the_job_of_a_process_that_says_nothing_is_taken_over(jobs: JobStore, tmp_path: Path) -> None:
    job = add(jobs)
    assert jobs.claim("one") is not None
    with closing(sqlite3.connect(tmp_path / "online" / FILE)) as database, database:
        database.execute("UPDATE jobs SET alive_at = alive_at - 3600")
    taken = jobs.claim("other")
    assert taken is not None and taken.job_id == job.job_id
    assert jobs.claim("third") is None


def test_an_item_is_changed_with_being_done_and_each_for_itself(
    jobs: JobStore, make_store: MakeStore, new_photo: MakePhoto
) -> None:
    store, job = make_store(), add(jobs, 5)
    jobs.claim("one")
    outcomes: list[ItemChange | ItemProblem] = [
        ItemChange(0, new_photo(1), False),
        ItemChange(1, PhotoPatch("nowhere", "x"), False),
        ItemChange(2, Deletion("shoe/1"), True),
        ItemChange(3, PhotoPatch("shoe/1", "x"), True),  # which is deleted by now
        ItemProblem(4, "bad", "NameInvalid", "no name"),
    ]
    record = jobs.apply(job.job_id, outcomes, "bundle-a", 9, 2**30, problem)
    assert (record.done, record.failed, record.state) == (5, 3, "running")
    assert [photo.photo_id for photo in store.state().photos] == ["online/1"]
    assert set(store.state().changes.deleted) == {"shoe/1"}
    assert jobs.items(job.job_id, 9) == []
    shown = jobs.get(job.job_id)
    assert shown is not None
    assert [(one.position, one.code) for one in shown.problems] == [
        (1, "PhotoNotFound"),
        (3, "PhotoNotFound"),
        (4, "NameInvalid"),
    ]


def test_a_cancelled_job_changes_nothing_more(jobs: JobStore, make_store: MakeStore, new_photo: MakePhoto) -> None:
    store, job = make_store(), add(jobs)
    jobs.claim("one")
    before = jobs.cancel(job.job_id)
    assert before is not None and before.state == "running"
    assert jobs.apply(job.job_id, [ItemChange(0, new_photo(1), False)], "bundle-a", 9, 2**30, problem).done == 0
    assert store.state().photos == () and jobs.items(job.job_id, 9) == []
    jobs.end(job.job_id, "done", "")
    after = jobs.get(job.job_id)
    assert after is not None and after.state == "cancelled"
    assert jobs.cancel("job-1") is None


def test_a_job_that_is_given_back_waits_with_what_is_left(
    jobs: JobStore, make_store: MakeStore, new_photo: MakePhoto
) -> None:
    store, job = make_store(), add(jobs)
    jobs.claim("one")
    jobs.apply(job.job_id, [ItemChange(0, new_photo(1), False)], "bundle-a", 9, 2**30, problem)
    jobs.end(job.job_id, "queued", "")
    again = jobs.claim("other")
    assert again is not None and (again.done, again.total) == (1, 3)
    assert [item.position for item in jobs.items(job.job_id, 9)] == [1, 2]
    assert len(store.state().photos) == 1


def test_limits(jobs: JobStore, tmp_path: Path) -> None:
    job = queue_rebuild(jobs, "ada", 2**30, update=True)
    with pytest.raises(JobsLimit, match=job.job_id):
        queue_rebuild(jobs, "ada", 2**30, update=False)
    with pytest.raises(OnlineFull):
        jobs.add("photos", [JobItem(0, "[]", bytes(100_000))], "ada", 50_000, anything)
    assert [one.job_id for one in jobs.every()] == [job.job_id]


def test_a_job_keeps_the_id_of_its_key(jobs: JobStore) -> None:
    job = jobs.add("adapt", [], "ada", 2**30, anything, "0123456789ab")
    kept = jobs.get(job.job_id)
    assert kept is not None and kept.key_id == job.key_id == "0123456789ab"
    assert [one.key_id for one in jobs.every()] == ["0123456789ab"]


def test_jobs_of_schema_version_4_are_read_as_they_are(jobs: JobStore, tmp_path: Path) -> None:
    job = add(jobs, 1)
    (file,) = tmp_path.rglob(FILE)
    with closing(sqlite3.connect(file)) as old:
        old.executescript("ALTER TABLE jobs DROP COLUMN key_id; PRAGMA user_version = 4;")
    read = jobs.get(job.job_id)
    assert read is not None and (read.created_by, read.key_id) == ("ada", "")
    with closing(sqlite3.connect(file)) as old:
        assert old.execute("PRAGMA user_version").fetchone()[0] == 4
    assert jobs.cancel(job.job_id) is not None
    with closing(sqlite3.connect(file)) as old:
        assert old.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
