"""What operators and browsers see: health, metrics, info, the page, headers, and problems for what is not there."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from service.app import create_app, own_version
from service.config import Settings
from service.http.schemas.operation import Info, Readiness
from service.http.schemas.problem import Problem


def metric(client: TestClient, name: str) -> float:
    """Sum of a metric's samples whose name and labels start with `name`."""
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def test_alive_and_ready(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "alive"}
    response = client.get("/readyz")
    assert response.status_code == 200
    ready = Readiness.model_validate(response.json())
    assert ready.bundle_id == client.get("/v1/info").json()["bundle_id"]
    assert ready.index_update_problem is None


def test_info(client: TestClient) -> None:
    info = Info.model_validate(client.get("/v1/info").json())
    assert info.photo_count == 15
    assert info.embedding_dim == 192
    assert info.providers == ["CPUExecutionProvider"]
    assert info.threads == 2
    assert [(field.name, field.type) for field in info.metadata_fields] == [("artist", "text"), ("price", "number")]
    assert info.limits.max_upload_bytes == 200_000
    assert info.limits.max_k == 200


def test_metrics_count_what_happens(client: TestClient, cross: bytes) -> None:
    searches = 'inkseek_requests_total{method="POST",route="/v1/search",status="200"}'
    before = metric(client, searches)
    encodes = metric(client, 'inkseek_stage_seconds_count{stage="encode"}')
    for _ in range(3):
        client.post("/v1/search", content=cross)
    client.get("/v1/photos/box/1.png")
    client.get("/no/such/thing")

    assert metric(client, searches) == before + 3
    for stage in ("wait", "decode", "preprocess", "encode", "search"):
        assert metric(client, f'inkseek_stage_seconds_count{{stage="{stage}"}}') > 0
    assert metric(client, 'inkseek_stage_seconds_count{stage="encode"}') == encodes + 3
    assert metric(client, 'inkseek_requests_total{method="any",route="other",status="404"}') >= 1
    assert metric(client, 'inkseek_provider_info{provider="CPUExecutionProvider"}') == 1
    assert metric(client, "inkseek_index_photos") == 15
    assert metric(client, "inkseek_index_info{") == 1
    assert metric(client, f'inkseek_build_info{{version="{own_version()}"}}') == 1
    assert metric(client, "inkseek_ready") == 1
    assert metric(client, "inkseek_in_flight") == 1  # the one that asks
    assert metric(client, "inkseek_queue ") == 0
    # Ids and unknown paths must not become labels.
    assert "box/1.png" not in client.get("/metrics").text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/search", 405, "method_not_allowed"),
        ("DELETE", "/v1/categories", 405, "method_not_allowed"),
        ("POST", "/livez", 405, "method_not_allowed"),
        ("GET", "/page/nothing.js", 404, "not_found"),
        ("GET", "/page/../app.py", 404, "not_found"),
        ("GET", "/page/%2e%2e/app.py", 404, "not_found"),
    ],
)
def test_what_is_not_there(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert Problem.model_validate(response.json()).code == code
    if status == 405:
        assert response.headers["allow"]


def test_security_headers_are_everywhere(client: TestClient) -> None:
    for path in ("/", "/docs", "/v1/info", "/v1/photos/box/1.png/image", "/nowhere", "/page/nothing"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "img-src 'self' data: blob:" in policy
        assert "unsafe" not in policy


def test_request_ids(client: TestClient) -> None:
    assert client.get("/livez", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    made_up = client.get("/livez").headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{16}", made_up)
    for unsuitable in ("with space", "x" * 200, 'quote"'):
        assert client.get("/livez", headers={"x-request-id": unsuitable}).headers["x-request-id"] != unsuitable


def test_head_is_a_get(client: TestClient) -> None:
    for path in ("/livez", "/readyz", "/v1/photos/box/1.png/thumbnail", "/"):
        assert client.head(path).status_code == client.get(path).status_code
    assert client.head("/v1/search").status_code == 405


def test_page(client: TestClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-cache"


def test_reference_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert not re.search(r'(?:src|href)="(?:[a-z]+:|//)', page.text)
    # Files of its own: the content policy allows no script and no style in the page itself.
    assert re.findall(r"<script[^>]*>", page.text) == ['<script type="module" src="docs/try_it.js">']
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page.text)
    text = page.text.replace("<wbr>", "")
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in text
    for code in ("sketch_empty", "queue_full"):
        assert f'id="problem-{code}"' in page.text
    assert client.get("/docs/style.css").headers["content-type"].startswith("text/css")
    assert client.get("/docs/try_it.js").headers["content-type"].startswith("text/javascript")


def test_every_operation_can_be_tried_in_the_reference(client: TestClient) -> None:
    page, document = client.get("/docs").text, client.get("/openapi.json").json()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'<label for="([^"]+)"', page)) <= set(ids)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/v1/galleries/"):
                continue
            (section,) = re.findall(rf'<section id="{operation["operationId"]}">.*?</section>', page, re.DOTALL)
            assert f'data-method="{method.upper()}" data-path="{path}"' in section
            for parameter in operation.get("parameters", []):
                assert f'name="{parameter["in"]}.{parameter["name"]}"' in section


def test_other_origins_only_when_allowed(client: TestClient, make_settings: Callable[..., Settings]) -> None:
    asks = {"origin": "https://shop.example"}
    assert "access-control-allow-origin" not in client.get("/v1/info", headers=asks).headers
    with TestClient(create_app(make_settings(cors_origins="https://shop.example, https://b.example"))) as open_client:
        response = open_client.get("/v1/info", headers=asks)
        assert response.headers["access-control-allow-origin"] == "https://shop.example"
        preflight = open_client.options("/v1/search", headers={**asks, "access-control-request-method": "POST"})
        assert preflight.status_code == 200
        other = open_client.get("/v1/info", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
