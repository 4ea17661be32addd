"""Words beside the drawing: they narrow its search, list photos without one, and stay in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenContext
    from tests.end_to_end.page.user import User

LABEL = "Only photos with these words"


def test_words_narrow_the_search_of_a_drawing(user: User) -> None:
    page = user.page
    user.draw_shape("circle")
    user.expect_best("circle")
    page.locator("body").press("w")
    box = page.get_by_label(LABEL)
    expect(box).to_be_focused()
    with page.expect_request(lambda request: "text=lines" in request.url):
        page.keyboard.type("lines")
    matching = page.request.get("/v1/photos?text=lines").json()["photos"]
    assert 0 < len(matching) < user.photo_count
    expect(page.locator(".card")).to_have_count(len(matching))
    assert page.url.endswith("/?text=lines")

    page.reload()
    expect(box).to_have_value("lines")
    expect(page.locator(".card")).to_have_count(len(matching))
    box.fill("")
    expect(page.locator(".card")).to_have_count(user.photo_count)
    assert page.url.endswith("/")
    box.fill("nowhere")
    expect(page.get_by_text("No photo matches")).to_be_visible()


def test_without_a_drawing_the_photos_that_have_them_are_listed(user: User) -> None:
    page = user.page
    page.get_by_label(LABEL).fill("rings")
    card = page.locator(".card")
    expect(card).to_have_count(1)
    expect(card).to_have_attribute("aria-label", "1: two rings, round")
    card.click()
    expect(page.get_by_role("dialog").locator("#compare-image")).to_be_hidden()
    page.keyboard.press("Escape")
    page.get_by_label(LABEL).fill("")
    expect(page.get_by_role("group", name="Example drawings")).to_be_visible()


def test_nothing_overlaps_on_a_phone_in_german(open_context: OpenContext, service_url: str) -> None:
    page = open_context(viewport={"width": 390, "height": 844}, has_touch=True).new_page()
    page.goto("/?lang=de&text=rings")
    box = page.get_by_label("Nur Fotos mit diesen Wörtern")
    expect(box).to_have_value("rings")
    expect(page.locator(".card")).to_have_count(1)
    size = box.bounding_box()
    assert size is not None and size["height"] >= 44 and size["x"] >= 0 and size["x"] + size["width"] <= 390
    # With every button of the header, the gallery's size has no room beside the name.
    page.locator(".top > button").evaluate_all("(all) => all.forEach((one) => (one.hidden = false))")
    page.locator("#gallery-size").evaluate("(one) => (one.textContent = '12.345.678 Fotos')")
    boxes = page.locator(".top > :visible").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().toJSON())"
    )
    for place, one in enumerate(boxes):
        assert one["right"] <= 390
        for other in boxes[place + 1 :]:
            apart = one["right"] <= other["left"] or other["right"] <= one["left"]
            assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
    text = page.locator(".wordmark").evaluate("(one) => [one.scrollWidth, one.clientWidth]")
    assert text[0] <= text[1]
