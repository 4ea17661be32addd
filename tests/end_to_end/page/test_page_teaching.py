"""Teaching in the page: drawings with the photos that were meant, what came of it, and the way back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import Hand

# In the tiny bundle, whoever means the other shape of a pair is understood better for it: leave-one-out, over "lines",
# goes from a mean of 1 / rank of 1/3 to 1/2. Of the other pairs it gets worse, from 1/2 to 1/3.
SWAPPED = {"cross": "plus", "plus": "cross"}
CONFUSED = {"cross": "stripes", "stripes": "plus"}


def collect(hand: Hand, lesson: dict[str, str]) -> None:
    """Draws each shape and marks the photo that is meant by it."""
    for drawn, meant in lesson.items():
        if hand.page.get_by_role("button", name="Clear the board").first.is_enabled():
            hand.page.keyboard.press("Delete")
        hand.draw_shape(drawn)
        hand.wait_for_answer()
        mark = hand.page.get_by_role("button", name=f"{meant} is what I drew", exact=True)
        mark.click()
        expect(mark).to_have_attribute("aria-pressed", "true")


def learn(hand: Hand) -> None:
    hand.page.get_by_role("button", name="Learn").click()


def adapters(hand: Hand, kind: str, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = hand.page.request.get(f"/v1/{kind}/{name}/adapters").json()
    return answer


def test_a_category_is_taught_compared_and_undone(pupil: Hand) -> None:
    pairs = pupil.page.get_by_role("list", name="Collected pairs").get_by_role("listitem")
    collect(pupil, SWAPPED)
    expect(pupil.page.get_by_role("combobox", name="Category", exact=True)).to_have_value("lines")
    expect(pupil.page.locator(".card")).to_have_count(3)  # its photos are what a right answer is among
    pupil.page.reload()
    pupil.page.get_by_role("button", name="Teach it").click()
    expect(pairs).to_have_count(2)
    expect(pairs.first).to_contain_text("plus")

    learn(pupil)
    expect(pupil.page.get_by_role("heading", name="It has learned")).to_be_focused()
    figures = pupil.page.get_by_role("table").get_by_role("row")
    expect(figures).to_have_text(
        ["BeforeAfter", re.compile(r"Right photo first0 of 20 of 2"), "Its place, on average3.02.0"]
    )
    expect(pupil.page.get_by_text("as taught")).to_be_visible()
    [adapter] = adapters(pupil, "categories", "lines")["adapters"]
    assert adapter["state"] == "active"

    sketch = pupil.page.evaluate(SKETCH)
    for side, query in (("before", "&adapt=false"), ("after", "")):
        found = pupil.page.request.post(f"/v1/search?k=5&category=lines{query}", data=bytes(sketch)).json()["results"]
        places = pupil.page.locator(f".{side} .place-name")
        expect(places).to_have_text([hit["metadata"]["name"] for hit in found])
    expect(pupil.page.locator(".after .is-right")).to_contain_text("crossWhat you meant")

    pupil.page.get_by_role("button", name="Undo", exact=True).last.click()
    expect(pupil.page.get_by_text("Undone: searches in “lines” answer as they did before.")).to_be_focused()
    expect(pupil.page.get_by_text("as taught")).to_be_hidden()
    assert adapters(pupil, "categories", "lines")["active"] is None


def test_what_would_be_worse_is_used_only_by_wish(pupil: Hand) -> None:
    collect(pupil, CONFUSED)
    learn(pupil)
    expect(pupil.page.get_by_role("heading", name="Not in use: it would be worse")).to_be_visible()
    expect(pupil.page.get_by_role("row", name="Its place, on average")).to_contain_text("2.03.0")
    expect(pupil.page.get_by_text("as taught")).to_be_hidden()
    pupil.page.get_by_role("button", name="Use it anyway").click()
    expect(pupil.page.get_by_role("heading", name="In use, as you wish")).to_be_visible()
    expect(pupil.page.get_by_text("as taught")).to_be_visible()

    pupil.page.get_by_text("Taught so far: version 1 is in use").click()
    pupil.page.get_by_role("button", name="Delete version 1", exact=True).click()
    pupil.page.get_by_role("button", name="Really delete version 1").click()
    expect(pupil.page.get_by_text("Version 1 is deleted.")).to_be_visible()
    expect(pupil.page.get_by_text("Taught so far")).to_be_hidden()
    expect(pupil.page.get_by_text("as taught")).to_be_hidden()


def test_a_new_category_is_made_of_own_photos(pupil: Hand, shape_file: Callable[[str], Path]) -> None:
    files = [shape_file(name) for name in ("square", "triangle", "circle")]
    name = pupil.page.get_by_role("combobox", name="Category", exact=True)
    name.fill("Road signs")
    name.press("Enter")
    expect(pupil.page.get_by_text("Draw something, then add photos of it.")).to_be_visible()
    pupil.page.get_by_label("Own photos").set_input_files(files)
    pairs = pupil.page.get_by_role("list", name="Collected pairs").get_by_role("listitem")
    expect(pairs).to_have_count(3)
    expect(pupil.page.get_by_role("button", name="Learn")).to_be_disabled()
    for shape in ("square", "triangle"):
        pupil.page.keyboard.press("Delete")
        pupil.draw_shape(shape)
        pupil.page.get_by_role("button", name=f"I drew this: the drawing on the board is {shape}").click()
    expect(pupil.page.get_by_role("button", name="Learn")).to_contain_text("2 pairs")
    learn(pupil)

    expect(pupil.page.locator("#teach-verdict")).to_be_visible()
    expect(pupil.page.locator("#gallery-size")).to_have_text(f"{pupil.photo_count + 3} photos")
    expect(pupil.page.get_by_role("button", name="Categories:")).to_have_text("Categories:Road signs")
    expect(pupil.page.locator(".card")).to_have_count(3)
    expect(pupil.page.locator(".cell").first).to_have_class(re.compile("is-picked"))  # the drawn photo is found

    pupil.page.get_by_text("Taught so far").click()
    pupil.page.get_by_role("button", name="Delete version 1", exact=True).click()
    pupil.page.get_by_role("button", name="Delete it and its 3 photos").click()
    expect(pupil.page.locator("#gallery-size")).to_have_text(f"{pupil.photo_count} photos")


def test_a_drawing_style_is_learned_and_chosen(pupil: Hand) -> None:
    choice = pupil.page.get_by_role("combobox", name="Drawn by")
    expect(choice).to_be_hidden()
    pupil.page.get_by_text("A drawing style").click()
    pupil.page.get_by_role("combobox", name="Whose drawings").fill("Ada & co")
    collect(pupil, {"cross": "cross", "square": "square"})  # of two categories
    learn(pupil)
    expect(pupil.page.locator("#teach-verdict")).to_be_visible()
    if pupil.page.get_by_role("button", name="Use it anyway").is_visible():
        pupil.page.get_by_role("button", name="Use it anyway").click()
    expect(choice).to_have_value("Ada & co")
    assert adapters(pupil, "profiles", "Ada%20%26%20co")["active"]

    pupil.page.reload()
    expect(choice).to_have_value("Ada & co")
    expect(pupil.page.get_by_text("as taught")).to_be_visible()
    assert pupil.sent_by(lambda: choice.select_option("Anyone")).url.endswith("/v1/search?k=24")
    assert pupil.sent_by(lambda: choice.select_option("Ada & co")).url.endswith("&profile=Ada+%26+co")


def test_what_cannot_be_taught_is_said_and_marked(pupil: Hand) -> None:
    page, button = pupil.page, pupil.page.get_by_role("button", name="Learn")
    alert = page.get_by_role("alert").filter(visible=True)
    page.get_by_role("button", name="Categories:").click()
    page.get_by_role("option", name="lines").click()
    expect(page.get_by_role("combobox", name="Category", exact=True)).to_have_value("lines")
    collect(pupil, {"cross": "plus", "stripes": "plus"})
    button.click()
    expect(alert).to_contain_text("All sketches have the same photo")

    page.get_by_role("button", name="Categories:").click()
    page.get_by_role("option", name="All categories").click()
    collect(pupil, {"square": "square"})
    expect(alert).to_have_count(0)
    expect(page.locator(".pair.is-wrong")).to_have_text([re.compile("square.*In angular")])
    expect(button).to_be_disabled()
    page.get_by_role("button", name="Remove square").click()
    expect(page.get_by_role("button", name="Remove plus").last).to_be_focused()
    expect(button).to_be_enabled()


def test_models_that_cannot_be_taught_show_no_way_to(hand: Hand) -> None:
    hand.draw_shape("circle")
    hand.expect_best("circle")
    assert hand.page.request.get("/v1/info").json()["adaptation_id"] is None
    expect(hand.page.get_by_role("button", name="Teach it")).to_be_hidden()
    hand.page.keyboard.press("t")
    expect(hand.page.get_by_role("region", name="Teach it what you mean")).to_be_hidden()


SKETCH = """async () => {
  const { toPng } = await import("/page/js/drawing.js");
  const { loadDrawing } = await import("/page/js/session.js");
  return [...new Uint8Array(await (await toPng(await loadDrawing())).arrayBuffer())];
}"""
