"""Pages of trusted origins: their scripts read every answer, the failed ones too, and caches keep origins apart."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from service.access.key_file import add_key
from service.access.keys import make_key
from service.app import create_app
from service.config import Settings
from service.errors import QueueFull

MakeSettings = Callable[..., Settings]
SHOP = "https://shop.example"
NEEDED = ["X-Request-ID", "Retry-After", "WWW-Authenticate", "Location", "RateLimit", "ETag", "Content-Range", "Allow"]


@pytest.fixture(scope="module")
def shop(make_settings: MakeSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """A service with keys that trusts one origin, with a route that fails; and a key that may search."""
    settings = make_settings(
        online_dir=tmp_path_factory.mktemp("online"),
        cors_origins=SHOP,
        max_upload_bytes=100_000,
        rate_limit="1000/minute",
    )
    new = make_key("ada", ("search",))
    add_key(settings.key_path, new.key)
    app = create_app(settings)

    @app.get("/v1/fails", include_in_schema=False)
    def fails(request: Request) -> None:
        raise RuntimeError("nobody foresaw this")

    @app.get("/v1/busy", include_in_schema=False)
    def busy(request: Request) -> None:
        raise QueueFull("full", retry_after_s=7)

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client, new.token


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/v1/info", {}, 200),
        ("GET", "/v1/fails", {}, 500),
        ("GET", "/v1/busy", {}, 429),
        ("GET", "/v1/nothing", {}, 404),
        ("PUT", "/v1/info", {}, 405),
        ("GET", "/v1/info", {"x-api-key": "wrong"}, 401),
        ("GET", "/metrics", {}, 403),
        ("POST", "/v1/search", {"content-encoding": "br"}, 415),
        ("POST", "/v1/search", {"x-size": "100001"}, 413),
        ("POST", "/v1/search?k=0", {}, 422),
        ("GET", "/v1/info", {"host": "evil.example"}, 200),
        ("GET", "/page/js/main.js", {"range": "bytes=999999999-"}, 416),
    ],
)
def test_a_script_reads_every_answer(
    shop: tuple[TestClient, str], method: str, path: str, sent: dict[str, str], status: int
) -> None:
    (client, key), sent = shop, dict(sent)
    body = bytes(int(sent.pop("x-size", "9"))) if method == "POST" else None
    response = client.request(method, path, content=body, headers={"x-api-key": key, "origin": SHOP, **sent})
    assert response.status_code == status, response.text
    assert response.headers["access-control-allow-origin"] == SHOP
    assert "origin" in response.headers["vary"].lower()
    exposed = response.headers["access-control-expose-headers"]
    assert all(name in exposed.split(", ") for name in NEEDED), exposed
    assert response.headers["x-request-id"]
    if status >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == status


def test_other_origins_read_nothing_and_caches_keep_them_apart(shop: tuple[TestClient, str]) -> None:
    client, key = shop
    for sent in ({"origin": "https://evil.example"}, {}):
        for path in ("/v1/info", "/v1/fails", "/v1/photos/box/1.png/thumbnail"):
            response = client.get(path, headers={"x-api-key": key, **sent})
            assert "access-control-allow-origin" not in response.headers
            assert "origin" in response.headers["vary"].lower()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_a_preflight_is_answered_without_a_key(shop: tuple[TestClient, str], method: str) -> None:
    asked = {"access-control-request-method": method, "access-control-request-headers": "x-api-key, content-type"}
    response = shop[0].options("/v1/search", headers={"origin": SHOP, **asked})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == SHOP
    assert method in response.headers["access-control-allow-methods"]
    assert "x-api-key" in response.headers["access-control-allow-headers"]
    refused = shop[0].options("/v1/search", headers={"origin": "https://evil.example", **asked})
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers
    assert refused.headers["content-type"] == "application/problem+json"


def test_answers_are_compressed_when_asked(shop: tuple[TestClient, str], cross: bytes) -> None:
    client, key = shop
    for path, compressed in (("/docs", True), ("/livez", False), ("/v1/photos/box/1.png/thumbnail", False)):
        with client.stream("GET", path, headers={"x-api-key": key, "accept-encoding": "gzip"}) as response:
            raw = b"".join(response.iter_raw())
            assert (response.headers.get("content-encoding") == "gzip") is compressed
            assert ("accept-encoding" in response.headers.get("vary", "").lower()) is compressed
        plain = client.get(path, headers={"x-api-key": key, "accept-encoding": "identity"}).content
        assert gzip.decompress(raw) == plain if compressed else raw == plain
    headers = {"x-api-key": key, "accept-encoding": "gzip"}
    answer = client.post("/v1/search", content=cross, headers=headers)
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(answer.content) / 2
    assert answer.json()["results"][0]["photo_id"] == "cross/2.png"


def test_a_compressed_file_is_still_revalidated_and_its_parts_are_not_compressed(shop: tuple[TestClient, str]) -> None:
    client, _ = shop
    first = client.get("/page/js/main.js", headers={"accept-encoding": "gzip"})
    assert first.headers["etag"].startswith('W/"')
    again = client.get("/page/js/main.js", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    part = client.get("/page/js/main.js", headers={"range": "bytes=0-1999", "accept-encoding": "gzip"})
    assert (part.status_code, len(part.content)) == (206, 2000)
    assert "content-encoding" not in part.headers
