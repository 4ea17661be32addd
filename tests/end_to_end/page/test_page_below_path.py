"""The page below a path of a proxy: it finds its files and the service, whether or not the service knows the path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.end_to_end.page.conftest import no_errors, serving
from tests.reverse_proxy import ReverseProxy

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenUser


@pytest.mark.parametrize(
    ("strips", "prefix", "address", "headers"),
    [
        (True, "/inkseek", "/inkseek/", {}),  # the service knows of nothing
        (False, "/tools/inkseek", "/tools/inkseek", {"X-Forwarded-Prefix": "/tools/inkseek"}),
    ],
)
def test_the_page_searches_and_shows_photos(
    service_url: str, open_user: OpenUser, strips: bool, prefix: str, address: str, headers: dict[str, str]
) -> None:
    with serving(ReverseProxy(service_url, prefix, strips, headers)) as proxy_url:
        user = open_user(address, base_url=proxy_url)
        failed: list[str] = []
        user.page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
        with no_errors(user.page):
            user.open(address)
            user.draw_shape("square")
            user.expect_best("square")
            picture = user.page.locator(".card img").first
            expect(picture).to_have_js_property("complete", True)
            assert picture.evaluate("image => image.naturalWidth") > 0
            user.page.locator(".card").first.click()
            photo_url = f"{proxy_url}{prefix}/v1/photos/angular/square.png/image"
            expect(user.page.get_by_role("link", name="Open the photo")).to_have_attribute("href", photo_url)
            assert user.page.request.get(photo_url).ok
            reference = user.page.locator(".bottom a").evaluate("link => link.href")
            assert reference == f"{proxy_url}{prefix}/docs"
        assert failed == []
