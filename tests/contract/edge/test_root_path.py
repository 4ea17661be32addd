"""Below a path of a proxy: every URL that the service answers leads back through the proxy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.config import Settings
from service.http.routes.page import PAGE
from tests.contract.conftest import MakeSettings
from tests.reverse_proxy import ReverseProxy

PREFIX = {"X-Forwarded-Prefix": "/inkseek"}


@dataclass(frozen=True)
class Proxied:
    """A client before a proxy before a service."""

    proxy: ReverseProxy
    client: TestClient

    def behind(
        self, *, prefix: str = "/inkseek", strips: bool = True, headers: Mapping[str, str] | None = None
    ) -> TestClient:
        """The client, and the proxy does as is said."""
        self.proxy.prefix, self.proxy.strips, self.proxy.headers = prefix, strips, headers or {}
        return self.client


@contextmanager
def proxied(settings: Settings) -> Iterator[Proxied]:
    proxy = ReverseProxy(create_app(settings), "/inkseek")
    with TestClient(proxy) as client:
        yield Proxied(proxy, client)


@pytest.fixture(scope="module")
def untold(make_settings: MakeSettings) -> Iterator[Proxied]:
    """The service knows its path from the proxy alone."""
    with proxied(make_settings()) as made:
        yield made


@pytest.fixture(scope="module")
def told(make_settings: MakeSettings) -> Iterator[Proxied]:
    """The service knows its path from its settings."""
    with proxied(make_settings(root_path="inkseek/")) as made:
        yield made


WAYS: list[tuple[str, dict[str, Any]]] = [
    ("told", {}),
    ("told", {"strips": False}),
    ("told", {"headers": {"X-Forwarded-Prefix": "/other"}}),
    ("untold", {"headers": PREFIX}),
    ("untold", {"headers": PREFIX, "strips": False}),
]


@pytest.fixture(params=WAYS, ids=["told", "told-unstripped", "told-otherwise", "header", "header-unstripped"])
def below(request: pytest.FixtureRequest) -> TestClient:
    """Below /inkseek, and the service knows it."""
    service, way = request.param
    made: Proxied = request.getfixturevalue(service)
    return made.behind(**way)


def test_every_url_of_an_answer_leads_back_through_the_proxy(below: TestClient, cross: bytes) -> None:
    for base in ("/inkseek/v1", "/inkseek/v1/galleries/default"):
        hits = below.post(f"{base}/search?k=2", content=cross).json()["results"]
        hits += below.get(f"{base}/photos/wave form/3.png/similar?k=2").json()["results"]
        hits += below.post(f"{base}/search:batch", files=[("sketch", cross)]).json()["items"][0]["results"][:1]
        hits += [below.get(f"{base}/photos/wave form/3.png").json()]
        for url in (hit[kind] for hit in hits for kind in ("thumbnail_url", "image_url")):
            assert url.startswith(f"{base}/photos/")
            assert below.get(url).headers["content-type"].startswith("image/"), url
    listed = below.get("/inkseek/v1/galleries").json()["galleries"]
    assert [gallery["path"] for gallery in listed] == ["/inkseek/v1/galleries/default"]
    assert below.get(listed[0]["path"] + "/info").status_code == 200
    document = below.get("/inkseek/openapi.json").json()
    assert document["servers"] == [{"url": "/inkseek"}]
    assert below.get(document["servers"][0]["url"] + "/livez").status_code == 200
    reference = below.get("/inkseek/docs").text
    for missing in ("/inkseek/v1/photos/none", "/inkseek/v1/search", "/inkseek/nothing", "/inkseek/page/nothing"):
        page, _, anchor = below.get(missing).json()["type"].partition("#")
        assert page == "/inkseek/docs"
        assert f'id="{anchor}"' in reference
    batch = below.post("/inkseek/v1/search:batch", files=[("sketch", b"no sketch")]).json()["items"][0]["error"]
    assert batch["type"].startswith("/inkseek/docs#")
    assert below.get("/v1/info").text == "the proxy has nothing here"


@pytest.mark.parametrize("page", ["/inkseek/", "/inkseek", "/inkseek/docs"])
def test_every_link_of_a_page_leads_back_through_the_proxy(below: TestClient, page: str) -> None:
    expect_links(below, page)


@pytest.mark.parametrize("page", ["/inkseek/", "/inkseek/docs"])
def test_links_hold_where_the_service_knows_of_no_path(untold: Proxied, page: str) -> None:
    """`/inkseek` without a slash is for the proxy to redirect."""
    expect_links(untold.behind(), page)


def expect_links(client: TestClient, page: str) -> None:
    answer = client.get(page, follow_redirects=False)
    assert answer.status_code == 200
    links = set(re.findall(r'(?:href|src)="([^"#]+)', answer.text))
    assert len(links) >= 4
    for link in links:
        found = client.get(urljoin(page, link))
        assert found.status_code == 200, link
        assert not link.endswith(".css") or "url(/" not in found.text
    if page.endswith("docs"):
        assert "http://testserver/" in answer.text


def test_the_reference_shows_commands_with_the_path(below: TestClient) -> None:
    assert "http://testserver/inkseek/v1/search" in below.get("/inkseek/docs").text


def test_no_script_of_the_page_names_a_path_from_the_root() -> None:
    scripts = list((PAGE / "js").rglob("*.js"))
    assert len(scripts) > 20
    for script in scripts:
        text = re.sub(r"/\*.*?\*/", "", script.read_text(), flags=re.DOTALL)
        assert not re.search(r"""["'`]/(page|docs)\b""", text), script.name
        # A route goes through `request`, which puts the root before it.
        assert not re.search(r"""(fetch|src =|href =)\s*\(?\s*["'`]/""", text), script.name


@pytest.mark.parametrize(
    ("sent", "root"),
    [
        (["/a"], "/a"),
        (["/a/"], "/a"),
        (["/a, /b"], "/a/b"),
        (["/a", "/b/c"], "/a/b/c"),
        (["/caf%C3%A9"], "/caf%C3%A9"),
        (["/"], ""),
        (["//evil.example"], ""),
        (["/a//evil.example"], ""),
        (["/a/../b"], ""),
        (["https://evil.example"], ""),
        (['/a"><script>'], ""),
        (["/a", "b"], ""),
        (["/" + "a" * 300], ""),
    ],
)
def test_a_prefix_is_believed_only_as_a_plain_path(untold: Proxied, sent: list[str], root: str) -> None:
    client = untold.behind()
    headers = [("X-Forwarded-Prefix", value) for value in sent]
    assert client.get("/inkseek/openapi.json", headers=headers).json()["servers"] == [{"url": root or "/"}]
    photo = client.get("/inkseek/v1/photos/box/1.png", headers=headers).json()
    assert photo["image_url"] == f"{root}/v1/photos/box/1.png/image"


def test_a_prefix_of_anybody_else_is_not_believed(client: TestClient) -> None:
    """The client's address is no proxy's."""
    assert client.get("/openapi.json", headers=PREFIX).json()["servers"] == [{"url": "/"}]
    assert client.get("/inkseek/livez", headers=PREFIX).status_code == 404
    assert 'href="page/' in client.get("/", headers=PREFIX).text


def test_a_prefix_like_an_own_path_is_left_to_the_proxy(untold: Proxied) -> None:
    """`/v1/v1/info` came as `/v1/info`: nothing is taken off twice."""
    client = untold.behind(prefix="/v1", headers={"X-Forwarded-Prefix": "/v1"})
    assert client.get("/v1/v1/info").status_code == 200
    assert client.get("/v1/v1/photos/box/1.png").json()["image_url"] == "/v1/v1/photos/box/1.png/image"


def test_an_escaped_prefix_is_taken_off(untold: Proxied) -> None:
    client = untold.behind(prefix="/caf%C3%A9", strips=False, headers={"X-Forwarded-Prefix": "/caf%C3%A9"})
    assert client.get("/café/v1/photos/box/1.png").json()["image_url"] == "/caf%C3%A9/v1/photos/box/1.png/image"


def test_probes_pass_without_the_prefix(told: Proxied) -> None:
    client = told.behind(prefix="")
    assert client.get("/livez").status_code == 200
    assert client.get("/inkseek/livez").status_code == 200
    assert client.get("/inkseekers/livez").status_code == 404


@pytest.mark.parametrize("wrong", ["/v1", "/docs/inner", "https://host/inkseek", "/a//b", "/a/../b", "/a b", "/a?b"])
def test_a_root_path_that_is_none_stops_the_start(make_settings: MakeSettings, wrong: str) -> None:
    with pytest.raises(ValueError, match="root_path"):
        make_settings(root_path=wrong)
