"""The seam of keys: every request has a principal, every route names its access, and who lacks it is denied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient
from starlette.types import Scope

from service.access.principal import Access, Principal
from service.app import ROUTERS, create_app
from service.config import Settings
from service.errors import AccessDenied
from service.http.route import ApiRoute
from service.http.schemas.problem import Problem


def by_header(scope: Scope) -> Principal:
    """A stand-in for keys: the header names what is granted; "nobody" is not let in at all."""
    sent = next((value.decode() for name, value in scope["headers"] if name == b"x-granted"), "search")
    if sent == "nobody":
        raise AccessDenied("this key was revoked")
    granted: dict[str, Access] = {"search": "search", "adapt": "adapt", "write": "write", "admin": "admin"}
    return Principal("tester", frozenset(granted[name] for name in sent.split()), key_id="tester")


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, authenticate=by_header), raise_server_exceptions=False) as client:
        yield client


NEEDED: dict[tuple[str, str], Access | None] = {
    ("GET", "/livez"): None,
    ("GET", "/readyz"): None,
    ("GET", "/metrics"): "admin",
    ("GET", "/v1/categories"): "search",
    ("GET", "/v1/encoder"): "search",
    ("GET", "/v1/encoder/{bundle_id}.onnx"): "search",
    ("GET", "/v1/galleries"): "search",
    ("GET", "/v1/info"): "search",
    ("GET", "/v1/photos"): "search",
    ("GET", "/v1/photos/{photo_id:path}"): "search",
    ("GET", "/v1/photos/{photo_id:path}/image"): "search",
    ("GET", "/v1/photos/{photo_id:path}/similar"): "search",
    ("GET", "/v1/photos/{photo_id:path}/thumbnail"): "search",
    ("PUT", "/v1/photos/{photo_id:path}"): "write",
    ("PATCH", "/v1/photos/{photo_id:path}"): "write",
    ("DELETE", "/v1/photos/{photo_id:path}"): "write",
    ("POST", "/v1/photos:batch"): "write",
    ("POST", "/v1/index:rebuild"): "write",
    ("GET", "/v1/versions"): "write",
    ("GET", "/v1/jobs"): "write",
    ("GET", "/v1/jobs/{job_id:adapter_id}"): "write",
    ("POST", "/v1/jobs/{job_id:adapter_id}:cancel"): "write",
    ("GET", "/v1/feedback"): "adapt",
    ("POST", "/v1/feedback"): "adapt",
    ("DELETE", "/v1/feedback"): "adapt",
    ("DELETE", "/v1/feedback/{feedback_id}"): "adapt",
    ("GET", "/v1/keys"): "admin",
    ("POST", "/v1/keys"): "admin",
    ("DELETE", "/v1/keys/{key_id}"): "admin",
    ("GET", "/v1/profiles"): "search",
    ("POST", "/v1/preview"): "search",
    ("POST", "/v1/search"): "search",
    ("POST", "/v1/search:batch"): "search",
    ("POST", "/v1/search:vector"): "search",
} | {
    (method, prefix + rest): "adapt"
    for prefix in ("/v1/categories/{category:path}/adapters", "/v1/profiles/{name}/adapters")
    for method, rest in (
        ("GET", ""),
        ("POST", ""),
        ("POST", ":rollback"),
        ("GET", "/{adapter_id:adapter_id}"),
        ("DELETE", "/{adapter_id:adapter_id}"),
        ("POST", "/{adapter_id:adapter_id}:activate"),
    )
}
"""The scope of every route; a new route fails the test below until its scope stands here."""

OPEN_TO_ALL = {"/", "/admin", "/docs", "/docs/style.css", "/docs/try_it.js", "/openapi.json", "/page/built/{name}"}
"""No data in them: the page has to load before it can ask for a key."""


def api_routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def test_every_route_has_its_scope() -> None:
    found: dict[tuple[str, str], Access | None] = {}
    for route in api_routes():
        if route.include_in_schema:
            assert isinstance(route, ApiRoute), route.path
            found |= {(method, route.path): route.access for method in route.methods or ()}
        else:
            assert route.path in OPEN_TO_ALL
    assert found == NEEDED


def test_exactly_the_routes_that_change_something_are_off_in_a_read_only_service() -> None:
    needed = {of: access for of, access in NEEDED.items() if access in ("adapt", "write", "admin")}
    changing = {(method, path) for method, path in needed if method != "GET"}
    routes = [route for route in api_routes() if isinstance(route, ApiRoute) and route.changes]
    assert {(method, route.path) for route in routes for method in route.methods or ()} == changing


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
        ("PUT", "/v1/photos/a.png", "search adapt", 403),
        ("PATCH", "/v1/photos/box/1.png", "search adapt", 403),
        ("DELETE", "/v1/photos/box/1.png", "search adapt", 403),
        ("GET", "/v1/profiles", "search", 200),
        ("GET", "/livez", "", 200),
        ("GET", "/readyz", "", 200),
        ("GET", "/metrics", "search adapt write", 403),
        ("GET", "/metrics", "admin", 200),
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
    assert (
        'inkseek_stage_seconds_count{stage="encode"} 0.0' in client.get("/metrics", headers={"x-granted": "admin"}).text
    )


def test_a_principal_is_bound_to_galleries_or_sees_them_all() -> None:
    bound = Principal("ada", frozenset({"search"}), frozenset({"shoes"}))
    assert (bound.may_see("shoes"), bound.may_see("chairs")) == (True, False)
    assert Principal("root", frozenset({"admin"})).may_see("chairs")
