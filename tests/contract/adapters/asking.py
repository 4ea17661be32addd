"""Requests that adapt, search, or have to be rejected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image
from starlette.testclient import TestClient

from service.http.schemas.adaptation.adapters import Adapter
from service.http.schemas.answers import SearchAnswer
from service.http.schemas.problem import Problem

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
Parts = list[tuple[str, Any]]

BOX = "/v1/categories/box/adapters"


def adapt(client: TestClient, parts: Parts, path: str = BOX, **query: str) -> dict[str, Any]:
    response = client.post(path, files=parts, params=query)
    assert response.status_code == (200 if query.get("dry_run") else 201), response.text
    answer: dict[str, Any] = response.json()
    Adapter.model_validate(answer)
    return answer


def searched(client: TestClient, sketch: bytes, **query: Any) -> dict[str, Any]:
    response = client.post("/v1/search", params={"k": 50, **query}, content=sketch)
    assert response.status_code == 200, response.text
    SearchAnswer.model_validate(response.json())
    return {key: value for key, value in response.json().items() if key != "timings_ms"}


def rejected(client: TestClient, status: int, code: str, parts: Parts, path: str = BOX, **query: str) -> Problem:
    """The request is answered with this problem, and nothing is there that was not there before."""
    before = client.get("/v1/categories").json(), [client.get(one).text for one in (BOX, "/v1/profiles")]
    response = client.post(path, files=parts, params=query)
    assert (response.status_code, response.json().get("code")) == (status, code), response.text
    assert (client.get("/v1/categories").json(), [client.get(one).text for one in (BOX, "/v1/profiles")]) == before
    return Problem.model_validate(response.json())
