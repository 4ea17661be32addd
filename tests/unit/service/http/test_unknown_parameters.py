"""A path that does not exist is 404; a query parameter that a route does not know, or a wrong value, is 422."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.config import Settings
from service.http.schemas.problem import Problem

Draw = Callable[[str, int], bytes]


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def example_of(path: str) -> str:
    values = {
        "{gallery}": "default",
        "{photo_id}": "box/1.png",
        "{category}": "box",
        "{name}": "ada",
        "{adapter_id}": "adapter-1",
    }
    for name, value in values.items():
        path = path.replace(name, value)
    return path


def test_every_route_rejects_a_parameter_that_it_does_not_know(client: TestClient) -> None:
    document: dict[str, Any] = client.get("/openapi.json").json()
    checked = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            response = client.request(method, f"{example_of(path)}?forse=true")
            problem = Problem.model_validate(response.json())
            assert (response.status_code, problem.code) == (422, "parameter_invalid"), (method, path)
            # Beside it, a parameter that is required may be missing.
            unknown = [error.what for error in problem.errors or () if error.where == "query.forse"]
            assert unknown == ["there is no such parameter"], (method, path)
            examples = operation["responses"]["422"]["content"]["application/problem+json"]["examples"]
            assert "parameter_invalid" in examples, (method, path)
            checked += 1
    assert checked >= 25


@pytest.mark.parametrize("path", ["/?category=box", "/page/js/main.js?v=1", "/docs?x", "/openapi.json?x=1"])
def test_pages_are_not_the_api(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1", "not_found"),
        ("GET", "/v1/nothing", "not_found"),
        ("POST", "/v2/search", "not_found"),
        ("GET", "/v1/photos/box/77.png", "photo_not_found"),
        ("GET", "/v1/photos/box/77.png/similar", "photo_not_found"),
        ("GET", "/v1/categories/bxo/adapters", "category_not_found"),
        ("GET", "/v1/profiles/nobody/adapters", "profile_not_found"),
        ("GET", "/v1/categories/box/adapters/adapter-9", "adapter_not_found"),
        ("POST", "/v1/categories/box/adapters/adapter-9:activate", "adapter_not_found"),
        ("DELETE", "/v1/profiles/nobody/adapters/adapter-9", "adapter_not_found"),
    ],
)
def test_a_path_that_is_not_there(client: TestClient, method: str, path: str, code: str) -> None:
    response = client.request(method, path)
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (404, code), response.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("category=bxo", "unknown_category"),
        ("profile=nobody", "unknown_profile"),
        ("filter=colour=red", "filter_invalid"),
        ("k=many", "parameter_invalid"),
    ],
)
def test_a_query_that_names_what_is_not_there(client: TestClient, draw: Draw, query: str, code: str) -> None:
    response = client.post(f"/v1/search?{query}", content=draw("box", 1))
    assert (response.status_code, response.json()["code"]) == (422, code)


def test_operations_have_names_for_clients(client: TestClient) -> None:
    document: dict[str, Any] = client.get("/openapi.json").json()
    names = {
        (method.upper(), path): operation["operationId"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert len(set(names.values())) == len(names)
    assert names["POST", "/v1/categories/{category}/adapters"] == "fit_category_adapter"
    assert names["GET", "/v1/profiles/{name}/adapters"] == "list_style_adapters"
    assert names["POST", "/v1/profiles/{name}/adapters:rollback"] == "roll_back_style_adapter"
    assert all(name.isidentifier() and name.islower() for name in names.values())
    verbs = {"search", "preview", "list", "get", "find", "fit", "roll", "activate", "delete", "put", "patch"}
    verbs |= {"change", "rebuild", "cancel", "add", "clear", "create", "revoke"}
    assert {name.partition("_")[0] for name in names.values()} == verbs
    assert document["servers"] == [{"url": "/"}]
    tags = {tag["name"] for tag in document["tags"]}
    for methods in document["paths"].values():
        for operation in methods.values():
            assert len(operation["tags"]) == 1 and set(operation["tags"]) <= tags
            for status, response in operation["responses"].items():
                for media_type, media in response.get("content", {}).items():
                    assert media["schema"], (operation["operationId"], status, media_type)


def test_the_score_is_described_as_what_it_is(client: TestClient) -> None:
    document: dict[str, Any] = client.get("/openapi.json").json()
    described = document["components"]["schemas"]["Hit"]["properties"]["score"]["description"]
    for word in ("cosine", "one `category`", "rescaled", "[-1, 1]"):
        assert word in described
