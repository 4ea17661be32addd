"""The results: narrowed, opened, compared, followed; and what the page says when there are none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Route, expect

from tests.end_to_end.page.shapes import SHAPES

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenUser
    from tests.end_to_end.page.user import User


def test_categories_narrow_the_search_and_stay_in_the_address(user: User) -> None:
    user.draw_shape("circle")
    user.expect_best("circle")
    button = user.page.get_by_role("button", name="Categories:")
    button.click()
    options = user.page.get_by_role("listbox", name="Categories").get_by_role("option")
    expect(options).to_have_text(["All categories10", "angular3", "lines3", "round4"])

    user.wait_for_answer()  # of the whole drawing, not of a draft of it
    search = user.sent_by(options.filter(has_text="lines").click)
    assert search.url.endswith("?k=24&category=lines")
    expect(button).to_have_text("Categories:lines")
    expect(user.page.locator("#timing")).to_have_text(re.compile("Searched 3 photos"))
    expect(user.page.locator(".card")).to_have_count(3)
    options.filter(has_text="angular").click()
    expect(user.page.locator(".card")).to_have_count(6)
    expect(button).to_have_text("Categories:2 categories")

    user.page.mouse.click(*user.at((20, 250)))
    expect(options.first).to_be_hidden()
    assert user.page.url.endswith("/?category=lines&category=angular")
    user.page.reload()
    expect(user.page.locator(".card")).to_have_count(6)


def test_the_category_list_is_searched_by_typing(user: User) -> None:
    user.draw_shape("circle")
    user.page.keyboard.press("/")
    user.page.keyboard.type("ROU")
    options = user.page.get_by_role("listbox", name="Categories").get_by_role("option")
    expect(options).to_have_text(["round4"])
    combobox = user.page.get_by_role("combobox", name="Find a category")
    expect(combobox).to_have_attribute("aria-activedescendant", "category-option-0")
    assert "category=round" in user.sent_by(lambda: user.page.keyboard.press("Enter")).url
    expect(options.and_(user.page.get_by_role("option", selected=True))).to_have_text("round4")
    combobox.fill("nothing like it")
    expect(user.page.get_by_text("No category has that in its name.")).to_be_visible()
    user.page.keyboard.press("Escape")
    expect(user.page.get_by_role("button", name="Categories:")).to_be_focused()


def test_the_number_of_results(open_user: OpenUser) -> None:
    user = open_user("/?k=3&category=angular&category=round")
    user.draw_shape("square")
    user.expect_best("square")
    expect(user.page.locator(".card")).to_have_count(3)
    choice = user.page.get_by_role("combobox", name="Number of results")
    expect(choice).to_have_value("3")
    choice.select_option("12")
    expect(user.page.locator(".card")).to_have_count(7)
    assert user.page.url.endswith("/?k=12&category=angular&category=round")


def test_a_photo_opens_large_with_what_is_known_of_it(user: User, tmp_path: Path) -> None:
    user.draw_shape("triangle")
    user.expect_best("triangle")
    user.page.get_by_role("button", name=re.compile(r"^1: triangle, [01]\.\d\d, angular$")).click()
    dialog = user.page.locator("#photo-dialog")
    expect(user.page.get_by_role("dialog", name="triangle")).to_be_visible()
    expect(dialog.locator("dl")).to_contain_text(re.compile("256 . 256 px"))
    facts = dict(zip(dialog.locator("dt").all_inner_texts(), dialog.locator("dd").all_inner_texts(), strict=True))
    assert facts["Category"] == "angular"
    assert 0.9 < float(facts["Score"]) <= 1
    assert facts["Photo id"] == "angular/triangle.png"
    assert facts["Corners"] == "4"
    expect(dialog.get_by_role("img", name="triangle")).to_have_attribute("src", re.compile("/image$"))
    expect(dialog.get_by_role("link", name="Open the photo")).to_have_attribute(
        "href", re.compile("/v1/photos/angular/triangle.png/image$")
    )
    with user.page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "triangle.png"
    download.value.save_as(tmp_path / "triangle.png")
    assert (tmp_path / "triangle.png").read_bytes().startswith(b"\x89PNG")

    expect(dialog.get_by_role("button", name="Previous photo")).to_be_disabled()
    user.page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text(f"Result 2 of {user.photo_count}")).to_be_visible()
    user.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(user.page.locator(".card").nth(1)).to_be_focused()


def test_the_page_says_when_nothing_fits_well(open_user: OpenUser, doubtful_url: str) -> None:
    user = open_user(base_url=doubtful_url)
    notice = user.page.locator("#no-match")
    expect(notice).to_be_hidden()
    user.draw_shape("circle")
    user.expect_best("circle")
    expect(notice).to_contain_text("Perhaps none of these.")
    user.page.locator(".card").first.click()
    # A cosine of nearly 1 under that calibration: 1 / (1 + exp(3)) = 4.7 %, and a little less for what a hand draws.
    expect(user.page.get_by_role("dialog")).to_contain_text(re.compile("Confidence[45] %"))
    user.page.keyboard.press("Escape")

    user.page.keyboard.press("/")
    user.page.keyboard.type("round")
    user.page.keyboard.press("Enter")
    expect(user.page.locator(".card")).to_have_count(4)
    expect(notice).to_be_hidden()


def test_photos_that_look_the_same_become_one_card(open_user: OpenUser, twins_url: str) -> None:
    user = open_user(base_url=twins_url)
    user.draw_shape("circle")
    cards, alike = user.page.locator(".card"), user.page.locator(".card-alike:visible")
    shapes = sum(len(shapes) for shapes in SHAPES.values())
    expect(cards).to_have_count(min(24, 3 * shapes))
    expect(alike).to_have_count(0)

    group = user.page.get_by_role("button", name="Group look-alikes")
    expect(group).to_have_attribute("aria-pressed", "false")
    group.click()
    expect(group).to_have_attribute("aria-pressed", "true")
    expect(group).to_be_focused()
    expect(cards).to_have_count(shapes)
    expect(alike).to_have_count(shapes)
    expect(alike.first).to_have_text("+2")
    expect(cards.first).to_have_attribute("aria-label", re.compile(r"circle.*, 2 more that look the same"))
    assert "group=true" in user.page.url

    cards.first.click()
    expect(user.page.get_by_role("dialog")).to_contain_text(re.compile(r"looks the samecircle \d, circle \d"))
    user.page.keyboard.press("Escape")
    user.page.wait_for_function("() => !history.state?.opened")  # the browser goes back, which a reload would race with
    user.page.reload()
    expect(cards).to_have_count(shapes)
    group.click()
    expect(cards).to_have_count(min(24, 3 * shapes))
    assert "group" not in user.page.url


def test_who_types_on_as_the_dialog_closes_keeps_the_focus(user: User) -> None:
    user.draw_shape("circle")
    user.expect_best("circle")
    user.page.locator(".card").first.click()
    expect(user.page.get_by_role("dialog")).to_be_visible()
    # In one task, as no two keys can be pressed from here: the dialog's event of being closed comes after the key.
    user.page.evaluate(
        """() => new Promise((done) => {
          const dialog = document.querySelector("#photo-dialog");
          dialog.addEventListener("close", () => setTimeout(done), { once: true });
          dialog.close();
          document.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true }));
        })"""
    )
    expect(user.page.get_by_role("combobox", name="Find a category")).to_be_focused()
    user.page.keyboard.type("round")
    user.page.keyboard.press("Enter")
    expect(user.page.locator(".card")).to_have_count(4)


def test_more_like_this_leads_on_and_back_to_the_drawing(user: User) -> None:
    user.draw_shape("diamond")
    user.expect_best("diamond")
    user.page.locator(".card").first.click()
    user.page.get_by_role("button", name="More like this").click()
    here = user.page.get_by_role("navigation", name="Breadcrumb")
    expect(here).to_contain_text("diamond")
    expect(user.page.locator(".card")).to_have_count(user.photo_count - 1)
    assert "diamond" not in user.names()
    assert user.page.url.endswith("/?like=angular%2Fdiamond.png")

    user.page.reload()
    expect(here).to_contain_text("diamond")
    user.page.go_back()
    user.expect_best("diamond")
    expect(here).to_be_hidden()
    user.page.go_forward()
    expect(here).to_contain_text("diamond")
    here.get_by_role("button", name="Your drawing").click()
    user.expect_best("diamond")
    expect(here).to_be_hidden()


def test_drawing_leaves_more_like_this(open_user: OpenUser) -> None:
    user = open_user("/?like=round%2Feyes.png")
    here = user.page.get_by_role("navigation", name="Breadcrumb")
    expect(here).to_contain_text("eyes")
    user.draw_shape("plus")
    user.expect_best("plus")
    expect(here).to_be_hidden()


def test_what_the_model_sees(user: User) -> None:
    button = user.page.get_by_role("button", name="What the model sees")
    button.click()
    expect(user.page.get_by_text("Draw something to see it")).to_be_visible()
    user.draw_shape("circle")
    view = user.page.get_by_role("img", name="Your drawing as the model sees it")
    expect(view).to_be_visible()
    user.page.wait_for_function(
        "() => document.querySelector('#preview-image').naturalWidth === 32"
    )  # the tiny bundle's size
    user.page.get_by_role("button", name="Categories:").click()
    with user.page.expect_request(lambda request: "/v1/preview" in request.url) as asked:
        user.page.get_by_role("option", name="round").click()
    assert asked.value.url.endswith("/v1/preview?category=round")  # the view is of the search that is shown
    button.click()
    expect(view).to_be_hidden()


def test_a_problem_is_shown_in_its_own_words(open_user: OpenUser) -> None:
    user = open_user("/?category=nosuch")
    user.draw_shape("circle")
    notice = user.page.get_by_role("alert").filter(visible=True)
    expect(notice).to_contain_text("No such category")
    expect(notice).to_contain_text("nosuch")
    user.page.get_by_role("button", name="Categories:").click()
    user.page.get_by_role("option", name="All categories").click()
    user.expect_best("circle")
    expect(notice).to_have_count(0)


def test_a_lost_connection_is_told_and_made_good(user: User) -> None:
    user.draw_shape("circle")
    user.expect_best("circle")
    user.page.context.set_offline(True)
    user.draw_shape("chain")
    notice = user.page.get_by_role("alert").filter(visible=True)
    expect(notice).to_contain_text("No connection")
    expect(user.page.locator(".card")).to_have_count(user.photo_count)  # the old results stay
    user.page.context.set_offline(False)
    expect(notice).to_have_count(0)


@pytest.mark.parametrize(("status", "by_itself"), [(429, True), (503, True), (500, False)])
def test_a_failing_service_is_asked_again(user: User, status: int, by_itself: bool) -> None:
    problem = {"title": "Too much to do", "detail": "The queue is full.", "code": "queue_full"}

    def fail(route: Route) -> None:
        route.fulfill(status=status, json=problem, content_type="application/problem+json")

    user.page.route("**/v1/search?*", fail)
    user.draw_shape("cross")
    expect(user.page.get_by_text("Too much to do")).to_be_visible()
    promised = " The search is retried by itself." if by_itself else ""
    expect(user.page.locator("#notice-detail")).to_have_text(f"The queue is full.{promised}")
    user.page.unroute("**/v1/search?*", fail)
    if not by_itself:
        user.page.get_by_role("button", name="Try again").click()
    user.expect_best("cross")
