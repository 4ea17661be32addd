"""A first visit is few requests and few bytes; what comes with it is cached for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Request, expect

from service.http.routes.page import PAGE
from service.page_build.scripts import names_for_all

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenContext

# At 60 kB/s: a second for what the board needs, and less than half of one for latency and to run it.
MOST_BYTES = 60_000


def visit(page: Page) -> list[Request]:
    """Everything that is asked for while the page is opened."""
    requests: list[Request] = []

    def note(request: Request) -> None:
        requests.append(request)

    page.on("request", note)
    page.goto("/")
    expect(page.locator("#gallery-size")).not_to_be_empty()
    page.wait_for_load_state("networkidle")
    page.remove_listener("request", note)
    return requests


def paths(requests: list[Request], base: str) -> list[str]:
    return [request.url.removeprefix(base) for request in requests]


def test_the_board_needs_three_files(open_context: OpenContext, service_url: str) -> None:
    page = open_context().new_page()
    requests = visit(page)
    built = [path for path in paths(requests, service_url) if path == "/" or path.startswith("/page/built/")]
    assert len(built) == 3
    assert len(requests) <= 10
    sizes = [request.sizes() for request in requests if request.url.removeprefix(service_url) in built]
    assert sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes) < MOST_BYTES
    started = page.evaluate("document.documentElement.classList.contains('is-started')")
    assert started


def test_a_second_visit_fetches_no_script_again(open_context: OpenContext, service_url: str) -> None:
    page = open_context().new_page()
    visit(page)
    asked = paths(visit(page), service_url)
    assert "/" in asked
    fetched = page.evaluate("performance.getEntriesByType('resource').filter((e) => e.transferSize).map((e) => e.name)")
    assert not [name for name in fetched if "/page/built/" in name]


@pytest.mark.parametrize("entry", ["main.js", "admin/main.js"])
def test_no_name_of_a_script_hides_one_of_the_window(open_context: OpenContext, service_url: str, entry: str) -> None:
    """Modules that do not import such a name see it, too, and would get it in the place of the window's."""
    js = PAGE / "js"
    sources = {path.relative_to(js).as_posix(): path.read_text(encoding="utf-8") for path in js.rglob("*.js")}
    names = sorted(names_for_all(sources, entry))
    assert len(names) > 50
    page = open_context().new_page()
    page.goto("/livez")
    assert page.evaluate("names => names.filter((name) => name in window)", names) == []
