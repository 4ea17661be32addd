"""The page on a phone: "back" closes what is open, a swipe turns photos, and the board stays in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenUser

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}


def swipe(page: Page, across: float) -> None:
    """One finger over the large photo, from its middle."""
    box = page.locator("#photo-stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch: CDPSession = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 6):
        points = [{"x": x + across * step / 5, "y": y + step}]
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_back_closes_a_photo_and_a_swipe_turns_it(open_user: OpenUser) -> None:
    user = open_user(**PHONE)
    page = user.page
    user.draw_shape("circle")
    user.expect_best("circle")
    address = page.url
    page.locator(".card").first.tap()
    dialog = page.get_by_role("dialog", name="circle")
    expect(dialog).to_be_visible()
    swipe(page, -120)
    expect(page.get_by_text(f"Result 2 of {user.photo_count}")).to_be_visible()
    swipe(page, 120)
    expect(page.get_by_text(f"Result 1 of {user.photo_count}")).to_be_visible()
    swipe(page, 20)  # a tap that slipped
    expect(page.get_by_text(f"Result 1 of {user.photo_count}")).to_be_visible()
    page.go_back()
    expect(page.locator("#photo-dialog")).to_be_hidden()
    assert page.url == address
    user.expect_best("circle")

    # Closed by its own button, it leaves nothing in the history either.
    before = page.evaluate("history.length")
    page.locator(".card").first.tap()
    page.get_by_role("button", name="Close", exact=True).tap()
    expect(page.locator("#photo-dialog")).to_be_hidden()
    page.wait_for_function("() => !history.state?.opened")
    assert page.evaluate("history.length") <= before + 1


def test_back_closes_the_category_sheet_and_the_choice_stays(open_user: OpenUser) -> None:
    user = open_user(**PHONE)
    page = user.page
    user.draw_shape("circle")
    user.expect_best("circle")
    page.get_by_role("button", name="Categories:").tap()
    page.get_by_role("option", name="lines").tap()
    expect(page.locator(".card")).to_have_count(3)
    page.go_back()
    expect(page.locator("#category-panel")).to_be_hidden()
    expect(page.locator(".card")).to_have_count(3)
    assert page.url.endswith("/?category=lines")
    page.get_by_role("button", name="Save and recent").tap()
    expect(page.get_by_role("dialog", name="Save and recent")).to_be_visible()
    page.go_back()
    expect(page.locator("#drawings-dialog")).to_be_hidden()
    assert page.url.endswith("/?category=lines")


def test_more_like_this_takes_the_place_of_the_photo_in_the_history(open_user: OpenUser) -> None:
    user = open_user(**PHONE)
    page = user.page
    user.draw_shape("diamond")
    user.expect_best("diamond")
    page.locator(".card").first.tap()
    page.get_by_role("button", name="More like this").tap()
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_contain_text("diamond")
    page.go_back()
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_be_hidden()
    user.expect_best("diamond")
    expect(page.locator("#photo-dialog")).to_be_hidden()


@pytest.mark.parametrize("size", [(360, 640), (390, 844), (640, 360), (844, 390)])
def test_the_first_screen_shows_a_whole_example(open_user: OpenUser, size: tuple[int, int]) -> None:
    user = open_user(**PHONE | {"viewport": dict(zip(("width", "height"), size, strict=True))})
    example = user.page.get_by_role("group", name="Example drawings").get_by_role("button").first
    expect(example).to_be_in_viewport(ratio=1)
    expect(user.page.locator("#board")).to_be_in_viewport(ratio=0.95)
    assert user.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_board_stays_in_sight_while_teaching(open_user: OpenUser, adaptable_url: str) -> None:
    user = open_user(base_url=adaptable_url, **PHONE)
    page = user.page
    page.get_by_role("button", name="Teach it").tap()
    expect(page.get_by_role("heading", name="Teach it what you mean")).to_be_in_viewport()
    user.draw_shape("cross")
    expect(page.locator(".card").first).to_be_visible()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator("#board")).to_be_in_viewport(ratio=1)
    size = page.locator("#board").bounding_box()
    assert size
    assert size["width"] >= 160
    page.get_by_role("button", name="Clear the board").first.tap()
    user.draw_shape("plus")  # from here, with nothing scrolled back
    expect(page.get_by_role("img", name="Drawing board, 2 strokes")).to_be_visible()
    expect(page.locator("#teach-hint")).to_have_text("Now press ✓ on the photo that you meant.")
    page.go_back()
    expect(page.locator("#teach")).to_be_hidden()
    expect(page.get_by_role("button", name="Teach it")).to_be_visible()
