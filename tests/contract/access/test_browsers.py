"""What a page of another site can make a browser send, and a page that rebinds its own name to this address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.access.key_file import add_key
from service.access.keys import make_key
from service.app import create_app
from service.config import Settings

MakeSettings = Callable[..., Settings]
Headers = dict[str, str]
ADAPTERS = "/v1/categories/box/adapters"


@pytest.fixture(scope="module")
def opened(make_settings: MakeSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service without keys, with a trusted origin and a name of its own."""
    changes = {"allowed_hosts": "sketch.example.org, Other.example", "cors_origins": "https://shop.example"}
    settings = make_settings(online_dir=tmp_path_factory.mktemp("online"), **changes)
    with TestClient(create_app(settings)) as client:
        yield client


CROSS_SITE: list[Headers] = [
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    {"sec-fetch-site": "same-site", "origin": "http://localhost:3000"},  # another port may be another user's
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "cross-site", "origin": "http://localhost:8000"},
    {"sec-fetch-site": "Same-Origin"},  # no browser writes it so
    {"origin": "https://evil.example"},
    {"origin": "http://localhost:8001"},
    {"origin": "null"},  # a sandboxed frame, a file
    {"origin": "http://localhost:8000.evil.example"},
    {"origin": "https://shop.example.evil.example"},
]
SAME_SITE: list[Headers] = [
    {},
    {"sec-fetch-site": "same-origin", "origin": "http://localhost:8000"},
    {"sec-fetch-site": "same-origin", "origin": "https://behind.a.proxy.example"},  # it may rewrite Host
    {"sec-fetch-site": "none"},
    {"origin": "http://localhost:8000"},
    {"origin": "HTTP://LOCALHOST:8000"},
    {"origin": "https://shop.example"},
    {"sec-fetch-site": "cross-site", "origin": "https://shop.example"},
]


@pytest.mark.parametrize("headers", CROSS_SITE)
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/search"), ("POST", ADAPTERS), ("DELETE", f"{ADAPTERS}/a")])
def test_another_site_cannot_post(opened: TestClient, headers: Headers, method: str, path: str, cross: bytes) -> None:
    response = opened.request(method, path, content=cross, headers={"host": "localhost:8000", **headers})
    assert (response.status_code, response.json()["code"]) == (403, "cross_site"), response.text
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("headers", SAME_SITE)
def test_the_page_programs_and_trusted_origins_can(opened: TestClient, headers: Headers, cross: bytes) -> None:
    response = opened.post("/v1/search", content=cross, headers={"host": "localhost:8000", **headers})
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("headers", CROSS_SITE)
def test_links_from_elsewhere_work(opened: TestClient, headers: Headers) -> None:
    for path in ("/", "/v1/info"):
        assert opened.get(path, headers={"host": "localhost:8000", **headers}).status_code == 200


OWN_HOSTS = [
    "localhost",
    "localhost:8000",
    "LOCALHOST.",
    "inkseek.localhost:9",
    "127.0.0.1:8000",
    "[::1]:8000",
    "192.168.1.5",
    "service:8000",  # a name of compose or of an intranet: nobody can own it
    "sketch.example.org",
    "Sketch.Example.org:443",
    "other.example.",
]
OTHER_HOSTS = [
    "evil.example",
    "evil.example:8000",
    "127.0.0.1.evil.example",
    "localhost.evil.example:8000",
    "sketch.example.org.evil.example",
    "x.sketch.example.org",
    "evil.example:127.0.0.1",
    "127.0.0.1:8000@evil.example",
]


@pytest.mark.parametrize("host", OWN_HOSTS)
def test_own_names_and_addresses_pass(opened: TestClient, host: str) -> None:
    assert opened.get("/v1/info", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", OTHER_HOSTS)
@pytest.mark.parametrize("path", ["/", "/v1/info", "/v1/photos/box/1.png/image", "/livez", "/docs"])
def test_a_rebound_name_gets_nothing(opened: TestClient, host: str, path: str) -> None:
    response = opened.get(path, headers={"host": host, "x-forwarded-host": "localhost"})
    assert (response.status_code, response.json()["code"]) == (421, "host_unknown"), response.text
    # The attack as a whole: the rebound page is of the same origin as the service, for the browser.
    attack = {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
    assert opened.post("/v1/search", content=b"x", headers=attack).status_code == 421


def test_two_hosts_are_none(opened: TestClient) -> None:
    sent = [(b"host", b"localhost"), (b"host", b"evil.example")]
    assert opened.get("/v1/info", headers=sent).status_code == 421


def test_with_keys_any_name_will_do_unless_names_are_given(make_settings: MakeSettings, tmp_path: Path) -> None:
    new = make_key("ada", ("search",))
    headers = {"host": "sketch.example.org", "x-api-key": new.token}
    for changes, status in (({}, 200), ({"allowed_hosts": "*"}, 200), ({"allowed_hosts": "other.example"}, 421)):
        settings = make_settings(online_dir=tmp_path / str(status), **changes)
        if not settings.key_path.exists():
            add_key(settings.key_path, new.key)
        with TestClient(create_app(settings)) as client:
            assert client.get("/v1/info", headers=headers).status_code == status


def test_a_star_lets_every_origin_and_host_in(make_settings: MakeSettings, tmp_path: Path, cross: bytes) -> None:
    settings = make_settings(online_dir=tmp_path, cors_origins="*", allowed_hosts="*")
    with TestClient(create_app(settings)) as client:
        for headers in CROSS_SITE[:4]:
            if "origin" in headers:
                sent = {"host": "any.example", **headers}
                assert client.post("/v1/search", content=cross, headers=sent).status_code == 200
