"""The states of the page that what holds of all of them is checked in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from playwright.sync_api import Page, Route, expect

if TYPE_CHECKING:
    from tests.end_to_end.page.user import User


def states(user: User) -> Iterator[str]:
    """Brings the page into one state after the other, and names each. By ids: it knows no language."""
    page = user.page
    yield "empty"
    for key, dialog in (("?", "help"), ("s", "drawings")):
        page.keyboard.press(key)
        expect(page.locator(f"#{dialog}-dialog")).to_be_visible()
        yield dialog
        page.keyboard.press("Escape")
    page.keyboard.press("m")
    user.draw_shape("circle")
    user.expect_best("circle")
    expect(page.locator("#preview-image")).to_be_visible()
    page.keyboard.press("v")
    yield "results, with a preview and the tool to move"
    page.keyboard.press("v")
    page.keyboard.press("m")
    page.keyboard.press("/")
    expect(page.locator("#category-panel")).to_be_visible()
    yield "list of categories"
    page.keyboard.type("round")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator(".card")).to_have_count(4)
    page.locator("#score-note summary").click()
    yield "results of a category"
    yield from _photos(user)
    yield from _teaching(user)
    yield from _problems(page, user)


def _photos(user: User) -> Iterator[str]:
    page = user.page
    page.locator(".card").first.click()
    expect(page.locator("#photo-facts")).to_contain_text(re.compile("256 . 256 px"))
    yield "photo"
    page.locator("#more-like-this").click()
    expect(page.locator("#breadcrumb")).to_be_visible()
    expect(page.locator(".card")).to_have_count(3)
    yield "more like this"
    page.locator("#back-to-drawing").click()
    user.expect_best("circle")


def _teaching(user: User) -> Iterator[str]:
    page = user.page
    page.locator("#teach-button").click()
    page.locator(".pick").nth(1).click()
    expect(page.locator(".pair")).to_have_count(1)
    yield "teaching"
    page.locator("#teach-fit").click()
    expect(page.locator("#teach-verdict")).to_be_visible()
    page.locator("#teach-versions summary").click()
    page.locator(".version-delete").first.click()
    yield "what was learned"
    page.locator(".version-delete").first.click()
    expect(page.locator("#teach-done")).not_to_be_empty()
    yield "a version was deleted"
    page.locator("#teach-close").click()


def _problems(page: Page, user: User) -> Iterator[str]:
    codes = ("queue_full", "internal_error", "sketch_solid", "unknown_category", "something_new")
    for code in codes:
        page.route("**/v1/search?*", _problem(code))
        user.sent_by(lambda: page.keyboard.press("f"))
        expect(page.locator("#notice")).to_be_visible()
        user.wait_for_answer()
        yield f"problem {code}"
        page.unroute("**/v1/search?*")
    page.route("**/v1/search?*", lambda route: route.abort())
    user.sent_by(lambda: page.keyboard.press("f"))
    user.wait_for_answer()
    yield "no connection"
    page.unroute("**/v1/search?*")
    page.route("**/v1/**", _login_page)
    user.sent_by(lambda: page.keyboard.press("f"))
    expect(page.locator("#signed-out")).to_be_visible()
    yield "signed out"
    page.unroute("**/v1/**")


def _problem(code: str) -> Callable[[Route], None]:
    document = {"title": "Title", "detail": "Detail of the service.", "code": code}
    return lambda route: route.fulfill(status=422, json=document)


def _login_page(route: Route) -> None:
    route.fulfill(content_type="text/html", body="<p>Sign in</p>")
