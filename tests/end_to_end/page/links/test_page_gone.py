"""Links whose names are gone (after a rename, say): what is close is offered, and all, instead of failing for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenContext, OpenUser


def offers(page: Page) -> Locator:
    return page.get_by_role("group", name="What to search for instead").get_by_role("button")


@pytest.mark.parametrize(
    ("category", "offered"),
    [
        ("angulars", ["angular", "All categories"]),
        ("Rounds", ["round", "All categories"]),
        ("lamps", ["All categories"]),
    ],
)
def test_a_category_that_is_gone(open_user: OpenUser, category: str, offered: list[str]) -> None:
    user = open_user(f"/?category={category}")
    page = user.page
    alert = page.get_by_role("alert").filter(visible=True)
    expect(alert).to_contain_text(f"There is no category “{category}”")  # before anything is drawn
    expect(offers(page)).to_have_text(offered)
    user.draw_shape("square")
    expect(alert).to_contain_text("No such category")
    expect(offers(page)).to_have_text(offered)
    offers(page).first.click()
    expect(page.locator(".card").first).to_be_visible()
    expect(alert).to_have_count(0)
    assert page.url.endswith("/" if len(offered) == 1 else f"/?category={offered[0]}")
    expect(page.get_by_role("button", name="Categories:")).to_contain_text(offered[0])


def test_of_several_categories_the_rest_is_offered(open_user: OpenUser) -> None:
    user = open_user("/?category=lines&category=lamps")
    expect(offers(user.page)).to_have_text(["Only lines", "All categories"])
    offers(user.page).first.click()
    user.draw_shape("plus")
    user.expect_best("plus")
    expect(user.page.locator(".card")).to_have_count(3)


def test_a_profile_that_is_gone(open_user: OpenUser) -> None:
    user = open_user("/?profile=Ada")
    user.draw_shape("square")
    expect(user.page.get_by_role("alert").filter(visible=True)).to_contain_text("No such profile")
    expect(offers(user.page)).to_have_text(["Anyone"])
    offers(user.page).first.click()
    user.expect_best("square")
    assert "profile" not in user.page.url


@pytest.mark.parametrize("condition", ["colour=red", "corners~4"])
def test_a_filter_that_no_longer_fits(open_user: OpenUser, condition: str) -> None:
    user = open_user(f"/?filter={condition}")
    user.draw_shape("square")
    expect(offers(user.page)).to_have_text(["Without the filter"])
    offers(user.page).first.click()
    user.expect_best("square")
    assert "filter" not in user.page.url


def test_a_filter_of_the_link_is_shown_and_taken_away(open_user: OpenUser) -> None:
    user = open_user("/?filter=corners%3E%3D5")
    user.draw_shape("square")
    user.expect_best("square")
    expect(user.page.locator(".card")).to_have_count(6)  # diamond, square, and the four that are round
    user.page.get_by_role("button", name="Remove corners>=5 from the search").click()
    expect(user.page.locator(".card")).to_have_count(user.photo_count)
    assert "filter" not in user.page.url


def test_a_photo_that_is_gone(open_user: OpenUser) -> None:
    user = open_user("/?like=round%2Fgone.png")
    expect(user.page.get_by_role("alert").filter(visible=True)).to_contain_text("No such photo")
    expect(offers(user.page)).to_have_text(["Search with your drawing"])
    offers(user.page).first.click()
    expect(user.page.get_by_text("A few lines are enough")).to_be_visible()
    assert user.page.url.endswith("/")


def test_a_gallery_that_is_gone(open_context: OpenContext) -> None:
    page = open_context().new_page()
    page.goto("/?gallery=defaults&category=x")
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("No such gallery")
    expect(offers(page)).to_have_text(["default", "The default gallery"])
    offers(page).last.click()
    expect(page.locator("#gallery-size")).not_to_be_empty()
    assert page.url.endswith("/")
