"""The results: narrowed, opened, compared, followed; and what the page says when there are none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Route, expect

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import Hand, OpenHand


def test_categories_narrow_the_search_and_stay_in_the_address(hand: Hand) -> None:
    hand.draw_shape("circle")
    hand.expect_best("circle")
    button = hand.page.get_by_role("button", name="Categories:")
    button.click()
    options = hand.page.get_by_role("listbox", name="Categories").get_by_role("option")
    expect(options).to_have_text(["All categories10", "angular3", "lines3", "round4"])

    search = hand.sent_by(options.filter(has_text="lines").click)
    assert search.url.endswith("?k=24&category=lines")
    expect(button).to_have_text("Categories:lines")
    expect(hand.page.locator("#timing")).to_have_text(re.compile("Searched 3 photos"))
    expect(hand.page.locator(".card")).to_have_count(3)
    options.filter(has_text="angular").click()
    expect(hand.page.locator(".card")).to_have_count(6)
    expect(button).to_have_text("Categories:2 categories")

    hand.page.mouse.click(*hand.at((20, 250)))
    expect(options.first).to_be_hidden()
    assert hand.page.url.endswith("/?category=lines&category=angular")
    hand.page.reload()
    expect(hand.page.locator(".card")).to_have_count(6)


def test_the_category_list_is_searched_by_typing(hand: Hand) -> None:
    hand.draw_shape("circle")
    hand.page.keyboard.press("/")
    hand.page.keyboard.type("ROU")
    options = hand.page.get_by_role("listbox", name="Categories").get_by_role("option")
    expect(options).to_have_text(["round4"])
    combobox = hand.page.get_by_role("combobox", name="Find a category")
    expect(combobox).to_have_attribute("aria-activedescendant", "category-option-0")
    assert "category=round" in hand.sent_by(lambda: hand.page.keyboard.press("Enter")).url
    expect(options.and_(hand.page.get_by_role("option", selected=True))).to_have_text("round4")
    combobox.fill("nothing like it")
    expect(hand.page.get_by_text("No category has that in its name.")).to_be_visible()
    hand.page.keyboard.press("Escape")
    expect(hand.page.get_by_role("button", name="Categories:")).to_be_focused()


def test_the_number_of_results(open_hand: OpenHand) -> None:
    hand = open_hand("/?k=3&category=angular&category=round")
    hand.draw_shape("square")
    hand.expect_best("square")
    expect(hand.page.locator(".card")).to_have_count(3)
    choice = hand.page.get_by_role("combobox", name="Number of results")
    expect(choice).to_have_value("3")
    choice.select_option("12")
    expect(hand.page.locator(".card")).to_have_count(7)
    assert hand.page.url.endswith("/?k=12&category=angular&category=round")


def test_a_photo_opens_large_with_what_is_known_of_it(hand: Hand, tmp_path: Path) -> None:
    hand.draw_shape("triangle")
    hand.expect_best("triangle")
    hand.page.get_by_role("button", name="1: triangle, angular, score").click()
    dialog = hand.page.locator("#photo-dialog")
    expect(hand.page.get_by_role("dialog", name="triangle")).to_be_visible()
    expect(dialog.locator("dl")).to_contain_text(re.compile("256 . 256 px"))
    facts = dict(zip(dialog.locator("dt").all_inner_texts(), dialog.locator("dd").all_inner_texts(), strict=True))
    assert facts["Category"] == "angular"
    assert 0.9 < float(facts["Score"]) <= 1
    assert facts["Photo id"] == "angular/triangle.png"
    assert facts["Corners"] == "4"
    expect(dialog.get_by_role("img", name="triangle")).to_have_attribute("src", re.compile("/image$"))
    expect(dialog.get_by_role("link", name="Open the photo")).to_have_attribute(
        "href", "/v1/photos/angular/triangle.png/image"
    )
    with hand.page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "triangle.png"
    download.value.save_as(tmp_path / "triangle.png")
    assert (tmp_path / "triangle.png").read_bytes().startswith(b"\x89PNG")

    expect(dialog.get_by_role("button", name="Previous photo")).to_be_disabled()
    hand.page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text(f"Result 2 of {hand.photo_count}")).to_be_visible()
    hand.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(hand.page.locator(".card").nth(1)).to_be_focused()


def test_more_like_this_leads_on_and_back_to_the_drawing(hand: Hand) -> None:
    hand.draw_shape("diamond")
    hand.expect_best("diamond")
    hand.page.locator(".card").first.click()
    hand.page.get_by_role("button", name="More like this").click()
    here = hand.page.get_by_role("navigation", name="Breadcrumb")
    expect(here).to_contain_text("diamond")
    expect(hand.page.locator(".card")).to_have_count(hand.photo_count - 1)
    assert "diamond" not in hand.names()
    assert hand.page.url.endswith("/?like=angular%2Fdiamond.png")

    hand.page.reload()
    expect(here).to_contain_text("diamond")
    hand.page.go_back()
    hand.expect_best("diamond")
    expect(here).to_be_hidden()
    hand.page.go_forward()
    expect(here).to_contain_text("diamond")
    here.get_by_role("button", name="Your drawing").click()
    hand.expect_best("diamond")
    expect(here).to_be_hidden()


def test_drawing_leaves_more_like_this(open_hand: OpenHand) -> None:
    hand = open_hand("/?like=round%2Feyes.png")
    here = hand.page.get_by_role("navigation", name="Breadcrumb")
    expect(here).to_contain_text("eyes")
    hand.draw_shape("plus")
    hand.expect_best("plus")
    expect(here).to_be_hidden()


def test_what_the_model_sees(hand: Hand) -> None:
    button = hand.page.get_by_role("button", name="What the model sees")
    button.click()
    expect(hand.page.get_by_text("Draw something to see it")).to_be_visible()
    hand.draw_shape("circle")
    view = hand.page.get_by_role("img", name="Your drawing as the model sees it")
    expect(view).to_be_visible()
    hand.page.wait_for_function(
        "document.querySelector('#preview-image').naturalWidth === 32"
    )  # the tiny bundle's size
    button.click()
    expect(view).to_be_hidden()


def test_a_problem_is_shown_in_its_own_words(open_hand: OpenHand) -> None:
    hand = open_hand("/?category=nosuch")
    hand.draw_shape("circle")
    notice = hand.page.get_by_role("alert").filter(visible=True)
    expect(notice).to_contain_text("No such category")
    expect(notice).to_contain_text("nosuch")
    hand.page.get_by_role("button", name="Categories:").click()
    hand.page.get_by_role("option", name="All categories").click()
    hand.expect_best("circle")
    expect(notice).to_have_count(0)


def test_a_lost_connection_is_told_and_made_good(hand: Hand) -> None:
    hand.draw_shape("circle")
    hand.expect_best("circle")
    hand.page.context.set_offline(True)
    hand.draw_shape("chain")
    notice = hand.page.get_by_role("alert").filter(visible=True)
    expect(notice).to_contain_text("No connection")
    expect(hand.page.locator(".card")).to_have_count(hand.photo_count)  # the old results stay
    hand.page.context.set_offline(False)
    expect(notice).to_have_count(0)


@pytest.mark.parametrize(("status", "by_itself"), [(429, True), (503, True), (500, False)])
def test_a_failing_service_is_asked_again(hand: Hand, status: int, by_itself: bool) -> None:
    problem = {"title": "Too much to do", "detail": "The queue is full.", "code": "queue_full"}

    def fail(route: Route) -> None:
        route.fulfill(status=status, json=problem, content_type="application/problem+json")

    hand.page.route("**/v1/search?*", fail)
    hand.draw_shape("cross")
    expect(hand.page.get_by_text("Too much to do")).to_be_visible()
    promised = " Trying again by itself." if by_itself else ""
    expect(hand.page.locator("#notice-detail")).to_have_text(f"The queue is full.{promised}")
    hand.page.unroute("**/v1/search?*", fail)
    if not by_itself:
        hand.page.get_by_role("button", name="Try again").click()
    hand.expect_best("cross")
