"""Changes in bulk and rebuilds as jobs: what they do, what they say of it, and what is left of them when one dies."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.store.jobs.job_store import JobStore
from service.store.jobs.records import WAITING, JobItem
from tests.contract.changes.drawings import found, put, star
from tests.contract.waiting import until

Serve = Callable[..., TestClient]


def upload(photo_id: str, image: bytes, **described: Any) -> dict[str, Any]:
    return {"photo_id": photo_id, "image_base64": base64.b64encode(image).decode(), **described}


def ended(client: TestClient, job: dict[str, Any], base: str = "/v1") -> dict[str, Any]:
    """The job, once it has ended."""
    latest: dict[str, Any] = {}

    def over() -> bool:
        latest.update(client.get(f"{base}/jobs/{job['job_id']}").json())
        return latest["state"] not in WAITING

    until(over)
    return latest


def queued(client: TestClient, items: list[dict[str, Any]], base: str = "/v1") -> dict[str, Any]:
    response = client.post(f"{base}/photos:batch", json={"items": items})
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    assert response.headers["location"] == f"{base}/jobs/{job['job_id']}"
    return job


def test_a_batch_does_its_items_in_their_order(client: TestClient, sketch_of: Callable[[str], bytes]) -> None:
    items = [
        upload("stars/1", star(1)),
        {"photo_id": "stars/1", "category": "bright", "metadata": {"price": 3}},
        upload("stars/2", star(12), category="bright", metadata={"artist": "cleo"}),
        {"photo_id": "box/1.png", "metadata": {"artist": "cleo"}},
        {"photo_id": "cross/2.png", "delete": True},
        upload("stars/3", star(3)),
        {"photo_id": "stars/3", "delete": True},
    ]
    job = ended(client, queued(client, items))
    assert (job["kind"], job["state"], job["done"], job["total"], job["failed"]) == ("photos", "done", 7, 7, 0)
    assert found(client, star(1), filter="price=3") == ["stars/1"]
    assert set(found(client, star(1), filter="artist=cleo")) == {"stars/2", "box/1.png"}
    assert not {"cross/2.png", "stars/3"} & set(found(client, sketch_of("cross/2.png"), k=50))
    assert set(found(client, star(1), category="bright")) == {"stars/1", "stars/2"}
    (listed,) = client.get("/v1/jobs").json()["jobs"]
    assert listed == job
    with_jobs = client.get("/metrics").text
    assert 'inkseek_jobs_total{kind="photos"} 1.0' in with_jobs


def test_an_item_that_cannot_be_done_stops_no_other(serve: Serve) -> None:
    client = serve(max_online_photos=2)
    items = [
        upload("stars/1", star(1)),
        upload("a//b", star(2)),
        upload("stars/2", b"no photo"),
        upload("stars/3", star(3), metadata={"colour": "red"}),
        {"photo_id": "nowhere.png", "delete": True},
        {"photo_id": "nowhere.png", "category": "x"},
        upload("stars/4", star(4)),
        upload("stars/5", star(5)),
        {"photo_id": "box/0.png", "category": "x"},
    ]
    job = ended(client, queued(client, items))
    assert (job["state"], job["done"], job["failed"]) == ("done", 9, 6)
    assert [(problem["position"], problem["code"]) for problem in job["problems"]] == [
        (1, "name_invalid"),
        (2, "image_unsupported"),
        (3, "metadata_invalid"),
        (4, "photo_not_found"),
        (5, "photo_not_found"),
        (7, "online_photos_limit"),
    ]
    assert {"stars/1", "stars/4"} <= set(found(client, star(1), k=50))
    assert client.get("/v1/photos/box/0.png").json()["category"] == "x"


def test_files_come_in_a_form(client: TestClient) -> None:
    items = json.dumps([{"photo_id": "one", "file": "a"}, {"photo_id": "two", "file": "b", "category": "x"}])
    response = client.post("/v1/photos:batch", data={"items": items}, files={"a": star(1), "b": star(12)})
    assert ended(client, response.json())["failed"] == 0
    assert found(client, star(12))[0] == "two" and client.get("/v1/photos/one/image").content == star(1)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[", "JSON"),
        (b"{}", "items"),
        (b'{"items": []}', "items"),
        (b'{"items": [3]}', "object"),
        (b'{"items": [{"delete": true}]}', "photo_id"),
        (b'{"items": [{"photo_id": "a"}]}', "changes nothing"),
        (b'{"items": [{"photo_id": "a", "delete": 1}]}', "true or false"),
        (b'{"items": [{"photo_id": "a", "delete": true, "category": "b"}]}', "nothing else"),
        (b'{"items": [{"photo_id": "a", "image_base64": "%%%"}]}', "base64"),
        (b'{"items": [{"photo_id": "a", "file": "b"}]}', "field of the form"),
        (b'{"items": [{"photo_id": "a", "title": "b"}]}', "title"),
        (b'{"items": [{"photo_id": "a", "category": null}]}', "text"),
    ],
)
def test_a_malformed_batch_is_rejected_as_a_whole(client: TestClient, body: bytes, says: str) -> None:
    response = client.post("/v1/photos:batch", content=body)
    assert (response.status_code, response.json()["code"]) == (422, "body_invalid")
    assert says in response.json()["detail"]
    assert client.get("/v1/jobs").json() == {"jobs": []}


def test_limits_of_batches(serve: Serve) -> None:
    client = serve(max_change_items=2, max_change_bytes=20_000)
    items = [{"photo_id": "box/0.png", "category": "x"}] * 3
    assert client.post("/v1/photos:batch", json={"items": items}).json()["code"] == "batch_too_large"
    assert client.post("/v1/photos:batch", content=b"x" * 20_001).json()["code"] == "body_too_large"
    assert client.post("/v1/photos/x:batch", content=b"").status_code == 405
    assert client.get("/v1/jobs/job-1").json()["code"] == "job_not_found"
    assert client.post("/v1/jobs/job-1:cancel").json()["code"] == "job_not_found"


def test_a_job_is_cancelled_and_then_over(serve: Serve, tmp_path: Path) -> None:
    waiting = serve(read_only=True)  # nobody does its jobs
    jobs = JobStore(tmp_path / "online")
    job = jobs.add("photos", [JobItem(0, '["a", true, null, null]')], "test", 2**30, lambda _: None)
    other = serve()
    state = other.post(f"/v1/jobs/{job.job_id}:cancel").json().get("state", "over")
    assert state in ("cancelled", "over")  # it may have been done by then
    again = other.post(f"/v1/jobs/{job.job_id}:cancel")
    assert (again.status_code, again.json()["code"]) == (409, "job_over")
    assert waiting.post("/v1/photos:batch", json={}).json()["code"] == "read_only"
    assert waiting.post("/v1/index:rebuild").json()["code"] == "read_only"


def test_a_job_of_a_dead_process_goes_on_where_it_was(serve: Serve, tmp_path: Path) -> None:
    client = serve()
    put(client, "stars/0", star(0))  # which makes the database
    jobs = JobStore(tmp_path / "online")
    items = [JobItem(n, json.dumps([f"stars/{n}", False, "x", None]), star(n)) for n in range(1, 4)]
    job = jobs.add("photos", items, "test", 2**30, lambda _: None)
    assert ended(client, {"job_id": job.job_id})["done"] == 3
    assert {f"stars/{n}" for n in range(4)} <= set(found(client, star(1), k=50))


@pytest.mark.timeout(180)
def test_a_rebuild_seals_what_changed_and_every_process_serves_it(
    serve: Serve, own_index: Path, sketch_of: Callable[[str], bytes]
) -> None:
    one, other = serve(index=own_index, index_poll_s=0.1), serve(index=own_index, index_poll_s=0.1)
    before = one.get("/v1/info").json()["index_version"]
    for number in range(4):
        put(one, f"stars/{number}", star(number))
    one.delete("/v1/photos/cross/1.png")
    whole = found(one, star(1), k=50)
    response = one.post("/v1/index:rebuild")
    assert response.status_code == 202
    put(other, "stars/later", star(30))  # while it runs
    job = ended(one, response.json())
    assert (job["kind"], job["state"]) == ("rebuild", "done"), job
    after = one.get("/v1/info").json()["index_version"]
    assert after != before and after in job["detail"]
    until(lambda: other.get("/v1/info").json()["index_version"] == after)
    for client in (one, other):
        ids = found(client, star(1), k=50)
        assert [photo_id for photo_id in ids if photo_id != "stars/later"] == whole and "stars/later" in ids
        assert "cross/1.png" not in found(client, sketch_of("cross/1.png"), k=50)
        versions = client.get("/v1/versions").json()
        (served,) = [version for version in versions["versions"] if version["in_service"]]
        assert served["published"] and served["version"] == after and served["online_changes"] > 0
        assert versions["changes_pending"] <= 1
    again = ended(one, one.post("/v1/index:rebuild?photos=false").json())
    assert again["state"] == "done"


@pytest.mark.timeout(180)
def test_changes_are_sealed_by_themselves_once_there_are_enough(serve: Serve, own_index: Path) -> None:
    client = serve(index=own_index, index_poll_s=0.1, seal_after=3)
    for number in range(3):
        put(client, f"stars/{number}", star(number))
    until(lambda: bool(client.get("/v1/jobs").json()["jobs"]))
    (job,) = client.get("/v1/jobs").json()["jobs"]
    assert (ended(client, job)["state"], job["created_by"]) == ("done", "the service")
    assert client.get("/v1/versions").json()["changes_pending"] == 0
    assert found(client, star(1))[0] == "stars/1"


@pytest.mark.timeout(180)
def test_a_rebuild_that_fails_says_why_and_changes_nothing(serve: Serve, own_index: Path) -> None:
    client = serve(index=own_index, index_poll_s=0.1)
    put(client, "stars/1", star(1))
    (own_index / ".lock").touch()
    for name in client.get("/v1/photos?limit=100").json()["photos"]:
        client.delete(f"/v1/photos/{name['photo_id']}")
    job = ended(client, client.post("/v1/index:rebuild?photos=false").json())
    assert job["state"] == "failed" and "no photo would be left" in job["detail"]
    assert found(client, star(1), k=50) == []
    assert client.post("/v1/index:rebuild?phtos=1").json()["code"] == "parameter_invalid"
