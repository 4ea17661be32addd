"""Deep adapters through the API: a job that draws, fits and stores, reversible as a light adapter is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image
from starlette.testclient import TestClient

from service.http.schemas.changes.jobs import Job
from service.store.jobs.records import WAITING
from tests.contract.adapters.asking import BOX, rejected, searched
from tests.contract.waiting import until

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
Parts = list[tuple[str, Any]]


def pairs(drawing: Drawing, encoded: Encode, *numbers: int) -> Parts:
    return [
        part
        for number in numbers
        for part in (("sketch", ("s.png", encoded(drawing("box", number)))), ("photo_id", (None, f"box/{number}.png")))
    ]


def deep(client: TestClient, parts: Parts, **query: str) -> dict[str, Any]:
    """The job, once it has ended."""
    response = client.post(BOX, files=parts, params={"depth": "deep", **query})
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    Job.model_validate(job)
    assert response.headers["location"] == f"/v1/jobs/{job['job_id']}"

    def over() -> bool:
        job.update(client.get(f"/v1/jobs/{job['job_id']}").json())
        return job["state"] not in WAITING

    until(over)
    return job


def test_a_deep_adapter_is_fitted_by_a_job_and_rolled_back(
    adaptable: TestClient, drawing: Drawing, encoded: Encode
) -> None:
    sketch = encoded(drawing("box", 1))
    before = searched(adaptable, sketch, category="box")
    job = deep(adaptable, pairs(drawing, encoded, 0, 2), force="true")
    assert (job["kind"], job["state"], job["stage"]) == ("adapt", "done", "fit"), job
    assert job["done"] == job["total"] == 3  # each photo left out, and the adapter itself
    (adapter,) = adaptable.get(BOX).json()["adapters"]
    assert (adapter["method"], adapter["state"], adapter["k"]) == ("deep", "active", 2)
    assert adapter["adapter_id"] in job["detail"] and adapter["reason"] in job["detail"]
    assert searched(adaptable, sketch, category="box") != before
    assert adaptable.post(f"{BOX}:rollback").json() == {"active": None}
    assert searched(adaptable, sketch, category="box") == before


def test_a_dry_run_stores_nothing(adaptable: TestClient, drawing: Drawing, encoded: Encode) -> None:
    job = deep(adaptable, pairs(drawing, encoded, 0, 2), dry_run="true")
    assert job["state"] == "done" and job["detail"].startswith("nothing was stored"), job
    assert adaptable.get(BOX).json() == {"adapters": [], "active": None}


def test_a_sketch_that_cannot_be_read_fails_the_job(adaptable: TestClient, drawing: Drawing, encoded: Encode) -> None:
    parts = pairs(drawing, encoded, 0)
    job = deep(adaptable, [("sketch", ("s.png", b"no image")), *parts[1:]])
    assert (job["state"], job["detail"].partition(":")[0]) == ("failed", "sketch 1"), job
    assert adaptable.get(BOX).json()["adapters"] == []


def test_what_shows_at_once_is_answered_at_once(adaptable: TestClient, drawing: Drawing, encoded: Encode) -> None:
    parts = pairs(drawing, encoded, 0)
    unknown = [parts[0], ("photo_id", (None, "box/nowhere.png"))]
    rejected(adaptable, 422, "unknown_photo", unknown, depth="deep")
    upload = [parts[0], ("photo", ("p.png", encoded(drawing("box", 9))))]
    rejected(adaptable, 422, "support_mismatch", upload, depth="deep")
    rejected(adaptable, 422, "support_mismatch", parts, "/v1/profiles/ada/adapters", depth="deep")
    assert adaptable.get("/v1/jobs").json() == {"jobs": []}
