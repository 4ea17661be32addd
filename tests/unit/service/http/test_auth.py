"""The seam of keys: every request has a principal, every route names its access, and who lacks it is denied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from starlette.types import Scope

from service.app import ROUTERS, create_app
from service.config import Settings
from service.errors import AccessDenied
from service.http.auth import ANONYMOUS, Principal, anonymous
from service.http.route import ApiRoute
from service.http.schemas.problem import Problem


def by_header(scope: Scope) -> Principal:
    """A stand-in for keys: the header names what is granted; "nobody" is not let in at all."""
    sent = next((value.decode() for name, value in scope["headers"] if name == b"x-granted"), "search")
    if sent == "nobody":
        raise AccessDenied("this key was revoked")
    return Principal("tester", frozenset(sent.split()))  # type: ignore[arg-type]


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, authenticate=by_header), raise_server_exceptions=False) as client:
        yield client


def test_everybody_is_anonymous_and_may_do_everything() -> None:
    assert anonymous({"type": "http", "headers": []}) is ANONYMOUS
    assert {"search", "adapt", "write", "admin"} == ANONYMOUS.access


def test_every_route_of_the_api_checks_its_access() -> None:
    needed = {}
    for route in (route for router in ROUTERS for route in router.routes):
        if isinstance(route, APIRoute) and route.include_in_schema:
            assert isinstance(route, ApiRoute), route.path
            needed[min(route.methods or {""}), route.path] = route.access
    assert len(needed) >= 20
    assert {path for (_, path), access in needed.items() if access is None} == {"/livez", "/readyz", "/metrics"}
    for (_, path), access in needed.items():
        if "/adapters" in path:
            assert access == "adapt", path


@pytest.mark.parametrize(
    ("method", "path", "granted", "status"),
    [
        ("GET", "/v1/categories", "search", 200),
        ("GET", "/v1/categories", "adapt", 403),
        ("GET", "/v1/photos/box/1.png", "", 403),
        ("GET", "/v1/photos/box/1.png/thumbnail", "search", 200),
        ("GET", "/v1/info", "admin", 403),
        ("POST", "/v1/search", "adapt write admin", 403),
        ("GET", "/v1/categories/box/adapters", "search", 403),
        ("GET", "/v1/categories/box/adapters", "adapt", 200),
        ("POST", "/v1/profiles/ada/adapters", "search", 403),
        ("DELETE", "/v1/categories/box/adapters/adapter-1", "search", 403),
        ("GET", "/v1/profiles", "search", 200),
        ("GET", "/livez", "", 200),
        ("GET", "/readyz", "", 200),
        ("GET", "/metrics", "", 200),
        ("GET", "/", "", 200),
    ],
)
def test_access_decides(client: TestClient, method: str, path: str, granted: str, status: int) -> None:
    response = client.request(method, path, headers={"x-granted": granted})
    assert response.status_code == status, response.text
    if status == 403:
        problem = Problem.model_validate(response.json())
        assert (problem.code, problem.status) == ("access_denied", 403)
        assert "tester may not do this" in problem.detail


@pytest.mark.parametrize("path", ["/", "/livez", "/v1/info", "/page/js/main.js", "/docs", "/nowhere"])
def test_who_is_not_let_in_gets_nothing(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"x-granted": "nobody"})
    assert (response.status_code, response.json()["code"]) == (403, "access_denied")
    assert response.headers["x-request-id"] and response.headers["x-content-type-options"] == "nosniff"


def test_a_body_of_who_may_not_is_not_worked_on(client: TestClient) -> None:
    response = client.post("/v1/search", content=b"no sketch at all", headers={"x-granted": "adapt"})
    assert response.status_code == 403
    assert 'inkseek_stage_seconds_count{stage="encode"} 0.0' in client.get("/metrics").text


def test_a_principal_is_bound_to_galleries_or_sees_them_all() -> None:
    bound = Principal("ada", frozenset({"search"}), frozenset({"shoes"}))
    assert (bound.may_see("shoes"), bound.may_see("chairs")) == (True, False)
    assert Principal("root", frozenset({"admin"})).may_see("chairs")
