"""Behind a proxy that signs users in: when its session ends, the page says so and leads to the login page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Route, expect

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenContext, OpenUser
    from tests.end_to_end.page.user import User

LOGIN = "<!doctype html><title>Sign in</title><form><input name=user></form>"


def login_page(route: Route) -> None:
    route.fulfill(status=200, content_type="text/html; charset=utf-8", body=LOGIN)


def forbidden_page(route: Route) -> None:
    route.fulfill(status=403, content_type="text/html", body=LOGIN)


def unauthorised(route: Route) -> None:
    route.fulfill(status=401, content_type="text/plain", body="who are you?")


def redirect_elsewhere(route: Route) -> None:
    route.fulfill(status=302, headers={"Location": "https://login.example.org/?back=here"})


def redirect_here(route: Route) -> None:
    route.fulfill(status=303, headers={"Location": "/oauth2/start"})


@pytest.mark.parametrize("answer", [login_page, forbidden_page, unauthorised, redirect_elsewhere, redirect_here])
def test_an_ended_session_asks_to_sign_in_again(user: User, answer: Callable[[Route], None]) -> None:
    page = user.page
    user.draw_shape("circle")
    user.expect_best("circle")
    page.route("**/v1/**", answer)
    user.draw_shape("eyes")
    banner = page.get_by_role("alert").filter(has=page.get_by_role("link", name="Sign in again"))
    expect(banner).to_be_visible()
    expect(page.locator("#notice")).to_contain_text("You are signed out")
    expect(page.locator(".card")).to_have_count(user.photo_count)  # what was there stays
    page.unroute("**/v1/**")
    with page.expect_navigation():
        banner.get_by_role("link").click()
    expect(page.get_by_role("img", name="Drawing board, 3 strokes")).to_be_visible()  # the drawing is kept
    expect(page.locator(".card")).to_have_count(user.photo_count)
    expect(banner).to_have_count(0)


def test_a_session_that_ended_before_the_first_answer_is_said_without_a_drawing(open_context: OpenContext) -> None:
    page = open_context().new_page()
    page.route("**/v1/**", login_page)
    page.goto("/")
    expect(page.get_by_role("link", name="Sign in again")).to_be_visible()
    expect(page.locator("#board")).to_be_visible()


@pytest.mark.parametrize("what", ["**/*.js", "**/*.css"])
def test_a_login_page_in_place_of_the_page_s_own_files_is_not_blank(open_context: OpenContext, what: str) -> None:
    page = open_context().new_page()
    page.route(what, login_page)
    page.goto("/")
    if what.endswith("js"):
        # Shown by the style sheet once a script would long have started.
        notice = page.get_by_role("note")
        expect(notice).to_be_visible()
        expect(notice).to_contain_text("Perhaps you are signed out")
        page.unroute(what)
        notice.get_by_role("link", name="Load it again").click()
        expect(page.locator("#gallery-size")).not_to_be_empty()
        expect(notice).to_be_hidden()
    else:
        expect(page.get_by_role("heading", name="Inkseek")).to_be_visible()
        expect(page.locator("#gallery-size")).not_to_be_empty()


def test_what_is_cut_off_is_tried_again(open_user: OpenUser) -> None:
    user = open_user()
    cut = '{"results": [{"photo'
    user.page.route("**/v1/search?*", lambda route: route.fulfill(content_type="application/json", body=cut), times=1)
    user.draw_shape("plus")
    user.expect_best("plus")
