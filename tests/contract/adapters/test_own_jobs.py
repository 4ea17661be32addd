"""A key with the scope `adapt` reads and cancels the jobs that it queued, and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.access.key_file import add_key
from service.access.keys import make_key
from service.access.principal import Access
from service.app import create_app
from service.config import Settings
from service.store.jobs.records import WAITING
from tests.contract.adapters.asking import BOX
from tests.contract.waiting import until


@pytest.fixture
def keyed(
    make_settings: Callable[..., Settings], adaptable_bundle_dir: Path, tmp_path: Path
) -> Iterator[tuple[TestClient, Callable[..., dict[str, str]]]]:
    """A service, and what makes a key of it: its header. All keys have one name, which therefore says nothing."""
    settings = make_settings(bundle=adaptable_bundle_dir, online_dir=tmp_path)

    def header(*scopes: Access) -> dict[str, str]:
        new = make_key("shop", scopes)
        add_key(settings.key_path, new.key)
        return {"x-api-key": new.token}

    first = header("admin")
    with TestClient(create_app(settings)) as client:
        assert client.get("/metrics", headers=first).status_code == 200
        yield client, header


def queued(
    client: TestClient, headers: dict[str, str], drawing: Callable[[str, int], Image.Image], encoded: Any
) -> dict[str, Any]:
    parts = [
        part
        for number in (0, 2)
        for part in (("sketch", ("s.png", encoded(drawing("box", number)))), ("photo_id", (None, f"box/{number}.png")))
    ]
    until(lambda: client.get(BOX, headers=headers).status_code == 200)  # the service has seen the key
    response = client.post(BOX, files=parts, params={"depth": "deep"}, headers=headers)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    return job


def ended(client: TestClient, headers: dict[str, str], job_id: str) -> bool:
    return client.get(f"/v1/jobs/{job_id}", headers=headers).json()["state"] not in WAITING


def code_of(response: Any) -> Any:
    return response.status_code, response.json().get("code")


def test_a_key_sees_the_jobs_that_it_queued(
    keyed: tuple[TestClient, Callable[..., dict[str, str]]], drawing: Any, encoded: Any
) -> None:
    client, header = keyed
    ada, ben, keeper, reader = header("adapt"), header("adapt"), header("write"), header("search")
    job = queued(client, ada, drawing, encoded)
    other = queued(client, ben, drawing, encoded)
    for headers, own, strange in ((ada, job, other), (ben, other, job)):
        assert [one["job_id"] for one in client.get("/v1/jobs", headers=headers).json()["jobs"]] == [own["job_id"]]
        assert client.get(f"/v1/jobs/{own['job_id']}", headers=headers).json()["created_by"] == "shop"
        for response in (
            client.get(f"/v1/jobs/{strange['job_id']}", headers=headers),
            client.post(f"/v1/jobs/{strange['job_id']}:cancel", headers=headers),
            client.get("/v1/jobs/job-none", headers=headers),
        ):
            assert code_of(response) == (404, "job_not_found"), response.text
        assert code_of(client.post("/v1/index:rebuild", headers=headers)) == (403, "access_denied")
        assert code_of(client.get("/v1/versions", headers=headers)) == (403, "access_denied")
    until(lambda: client.get("/v1/jobs", headers=keeper).status_code == 200)
    assert {one["job_id"] for one in client.get("/v1/jobs", headers=keeper).json()["jobs"]} == {
        job["job_id"],
        other["job_id"],
    }
    assert code_of(client.get("/v1/jobs", headers=reader)) == (403, "access_denied")
    assert code_of(client.get("/v1/jobs")) == (401, "key_required")
    for headers, own in ((ada, job), (ben, other)):
        until(partial(ended, client, headers, own["job_id"]))


def test_a_key_cancels_its_own_job(
    keyed: tuple[TestClient, Callable[..., dict[str, str]]], drawing: Any, encoded: Any
) -> None:
    client, header = keyed
    ada = header("adapt")
    job = queued(client, ada, drawing, encoded)
    answer = client.post(f"/v1/jobs/{job['job_id']}:cancel", headers=ada)
    # The job may have been faster; then it is over, which the key is told as well.
    assert (answer.status_code, answer.json().get("state", answer.json().get("code"))) in (
        (200, "cancelled"),
        (409, "job_over"),
    ), answer.text
