"""Rate limits over HTTP: headers, 429, whom a proxy speaks for, and what forged headers are worth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from service.access.key_file import add_key
from service.access.keys import make_key
from service.app import create_app
from service.config import Settings

MakeSettings = Callable[..., Settings]
ADAPTERS = "/v1/categories/box/adapters"


@pytest.fixture
def limited(make_settings: MakeSettings, tmp_path: Path) -> Callable[..., Any]:
    """Starts a service with these limits, as it is reached from an address."""

    @contextmanager
    def start(address: str = "192.0.2.1", **changes: object) -> Iterator[TestClient]:
        app = create_app(make_settings(**{"online_dir": tmp_path, **changes}))
        with TestClient(app, client=(address, 1)) as client:
            yield client

    return start


def test_headers_say_what_is_left(limited: Callable[..., Any], cross: bytes) -> None:
    with limited(rate_limit="3/hour; 9/day") as client:
        for left in (2, 1, 0):
            response = client.post("/v1/search", content=cross)
            assert response.status_code == 200
            assert response.headers["ratelimit-policy"] == '"requests-3600s";q=3;w=3600, "requests-86400s";q=9;w=86400'
            found = re.fullmatch(
                r'"requests-3600s";r=(\d+);t=(\d+), "requests-86400s";r=(\d+);t=(\d+)', response.headers["ratelimit"]
            )
            assert found and (int(found[1]), int(found[3])) == (left, left + 6) and 0 < int(found[2]) <= 3600
        response = client.post("/v1/search", content=cross)
        assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
        assert 0 < int(response.headers["retry-after"]) <= 3600
        assert '"requests-3600s";r=0' in response.headers["ratelimit"]
        # Neither monitoring nor pictures nor the page count or stop.
        for path in ("/livez", "/readyz", "/metrics", "/", "/docs", "/v1/photos/box/1.png/thumbnail"):
            response = client.get(path)
            assert response.status_code == 200 and "ratelimit" not in response.headers, path
        metrics = client.get("/metrics").text
        assert 'inkseek_requests_total{method="POST",route="/v1/search",status="429"} 1.0' in metrics
        assert 'inkseek_rejected_total{reason="rate_limited"} 1.0' in metrics


def test_without_limits_there_are_no_headers(client: TestClient) -> None:
    assert not [name for name in client.get("/v1/info").headers if name.startswith("ratelimit")]


def test_a_batch_counts_as_its_items(limited: Callable[..., Any], cross: bytes) -> None:
    with limited(rate_limit="4/hour") as client:
        files = [("sketch", cross)] * 3
        response = client.post("/v1/search:batch", files=files)
        assert response.status_code == 200 and ";r=1;" in response.headers["ratelimit"]
        assert client.post("/v1/search:batch", files=files).status_code == 429


def test_changes_have_a_quota_of_their_own(limited: Callable[..., Any]) -> None:
    with limited(change_limit="2/day") as client:
        for _ in range(2):
            assert client.post(f"{ADAPTERS}:rollback").status_code == 409
        response = client.post(f"{ADAPTERS}:rollback")
        assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
        assert client.get(ADAPTERS).status_code == 200


def test_each_key_has_its_quota_wherever_it_is(limited: Callable[..., Any], tmp_path: Path) -> None:
    plain, own = make_key("ada", ("search",)), make_key("bea", ("search",), rate_limit="3/hour")
    add_key(tmp_path / "keys.json", plain.key)
    add_key(tmp_path / "keys.json", own.key)
    with limited(rate_limit="1/hour", trusted_proxies="192.0.2.1") as client:

        def statuses(token: str) -> list[int]:
            return [
                client.get("/v1/info", headers={"x-api-key": token, "x-forwarded-for": f"203.0.113.{n}"}).status_code
                for n in range(4)
            ]

        assert statuses(plain.token) == [200, 429, 429, 429]
        assert statuses(own.token) == [200, 200, 200, 429]


def asked(client: TestClient, *forwarded: str) -> int:
    sent = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return int(client.get("/v1/info", headers=sent).status_code)


def test_forged_addresses_count_as_the_one_who_forges(limited: Callable[..., Any]) -> None:
    with limited(rate_limit="1/hour") as client:
        assert [asked(client, f"203.0.113.{n}") for n in range(3)] == [200, 429, 429]
        assert client.get("/v1/info", headers={"forwarded": "for=203.0.113.9", "x-real-ip": "::9"}).status_code == 429


def test_a_trusted_proxy_speaks_for_its_clients(limited: Callable[..., Any]) -> None:
    with limited("10.1.2.3", rate_limit="1/hour", trusted_proxies="10.0.0.0/8, ::1") as client:
        assert [asked(client, f"203.0.113.{n}") for n in range(3)] == [200, 200, 200]
        assert asked(client, "203.0.113.1") == 429
        # What a client sent itself stands to the left of what the proxy adds, in one header or in several.
        assert [asked(client, f"198.51.100.{n}, 203.0.113.1") for n in range(2)] == [429, 429]
        assert asked(client, "198.51.100.7", "203.0.113.1") == 429
        # Through two proxies; and what is no address ends the search.
        assert asked(client, "203.0.113.1, 10.9.9.9") == 429
        assert asked(client, "198.51.100.1, unknown, 203.0.113.2") == 429
        assert asked(client, "203.0.113.77, garbage") == 200  # counted as the proxy itself
        assert asked(client, "203.0.113.78, garbage") == 429
        secure = client.get("/docs", headers={"x-forwarded-proto": "https", "host": "sketch.localhost"})
        assert "https://sketch.localhost" in secure.text


def test_the_scheme_of_a_stranger_is_not_believed(limited: Callable[..., Any]) -> None:
    with limited() as client:
        page = client.get("/docs", headers={"x-forwarded-proto": "https", "host": "sketch.localhost"})
        assert "https://sketch.localhost" not in page.text


@pytest.mark.parametrize("wrong", [{"rate_limit": "many"}, {"change_limit": "5"}, {"trusted_proxies": "proxy"}])
def test_wrong_settings_end_the_start(make_settings: MakeSettings, wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        make_settings(**wrong)
