"""The board: what is drawn is what is sent, and the photos of it come back while one draws."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import Route, expect

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import Hand, OpenHand

LINE = [(40.0, 128.0), (216.0, 128.0)]
SECOND_LINE = [(40.0, 60.0), (216.0, 60.0)]


def test_a_drawing_finds_its_photo(hand: Hand) -> None:
    hand.draw_shape("triangle")
    hand.expect_best("triangle")
    assert len(hand.names()) == hand.photo_count
    expect(hand.page.locator("#timing")).to_have_text(re.compile(rf"Searched {hand.photo_count} photos in \d+ ms"))
    expect(hand.page.locator("#announcer")).to_have_text(f"{hand.photo_count} results, best: triangle in angular")
    expect(hand.page.get_by_role("img", name="Drawing board, 1 stroke")).to_be_visible()


def test_the_sketch_is_sent_black_on_white_with_lines_like_the_training_data(hand: Hand) -> None:
    picture = hand.picture_sent_by(lambda: hand.draw(LINE))
    assert picture.shape == (512, 512)
    assert picture[0, 0] == 255
    assert picture[256, 256] == 0
    assert (255.0 - picture[:, 256]).sum() / 255 == pytest.approx(5, abs=0.2)  # 2.5 of 256


def test_where_and_how_large_one_draws_does_not_matter(hand: Hand) -> None:
    picture = hand.picture_sent_by(lambda: hand.draw_shape("plus", scale=0.3, left=170, top=10))
    hand.expect_best("plus")
    rows, columns = np.nonzero(picture < 128)
    # 8 % of 512 px are free on each side, but for half a line's width.
    assert [rows.min(), rows.max(), columns.min(), columns.max()] == pytest.approx([39, 472, 39, 472], abs=2)
    assert (255.0 - picture[:, 100]).sum() / 255 == pytest.approx(5, abs=0.2)  # a line is no thicker for it


def test_the_dark_scheme_sends_the_same_picture(hand: Hand, open_hand: OpenHand) -> None:
    light = hand.picture_sent_by(lambda: hand.draw(LINE))
    dark = open_hand(color_scheme="dark")
    assert (dark.picture_sent_by(lambda: dark.draw(LINE)) == light).all()


def test_undo_redo_and_clear_change_what_is_sent(hand: Hand) -> None:
    undo, redo = hand.page.get_by_role("button", name="Undo"), hand.page.get_by_role("button", name="Redo")
    expect(undo).to_be_disabled()
    one = hand.picture_sent_by(lambda: hand.draw(LINE))
    two = hand.picture_sent_by(lambda: hand.draw(SECOND_LINE))
    assert (one != two).any()
    assert (hand.picture_sent_by(undo.click) == one).all()
    assert (hand.picture_sent_by(redo.click) == two).all()
    expect(redo).to_be_disabled()

    hand.page.get_by_role("button", name="Clear the board").click()
    expect(hand.page.get_by_text("A few lines are enough")).to_be_visible()
    expect(hand.page.locator(".card")).to_have_count(0)
    assert (hand.picture_sent_by(lambda: hand.page.keyboard.press("Control+z")) == two).all()
    assert (hand.picture_sent_by(lambda: hand.page.keyboard.press("Control+z")) == one).all()
    assert (hand.picture_sent_by(lambda: hand.page.keyboard.press("Control+Shift+Z")) == two).all()


def test_the_eraser_takes_ink_away_and_the_pen_comes_back(hand: Hand) -> None:
    whole = hand.ink_sent_by(lambda: hand.draw(LINE))
    hand.page.get_by_role("button", name="Eraser").click()
    expect(hand.page.get_by_role("button", name="Eraser")).to_have_attribute("aria-pressed", "true")
    rubbed = hand.picture_sent_by(lambda: hand.draw([(128, 100), (128, 156)]))
    assert rubbed[256, 256] == 255
    assert 0.8 * whole < (255.0 - rubbed).sum() / 255 < whole

    hand.page.keyboard.press("e")
    mended = hand.ink_sent_by(lambda: hand.draw([(118, 128), (138, 128)]))
    assert mended == pytest.approx(whole, rel=0.02)


def test_all_erased_asks_to_keep_drawing(hand: Hand) -> None:
    short = [(100.0, 128.0), (156.0, 128.0)]
    hand.draw(short)
    hand.wait_for_answer()
    hand.page.keyboard.press("e")
    hand.draw(short)
    expect(hand.page.get_by_text("Keep drawing")).to_be_visible()
    expect(hand.page.locator("#notice-detail")).to_have_text("the sketch is empty: nothing is drawn on it")
    expect(hand.page.get_by_role("button", name="Try again")).to_be_hidden()


def test_width_and_its_keys(hand: Hand) -> None:
    thin = hand.ink_sent_by(lambda: hand.draw(LINE))
    hand.page.get_by_role("button", name="Clear the board").click()
    for _ in range(5):
        hand.page.keyboard.press("]")
    expect(hand.page.get_by_role("slider", name="Stroke width")).to_have_value("5")
    assert hand.ink_sent_by(lambda: hand.draw(LINE)) == pytest.approx(2 * thin, rel=0.02)


def test_a_stale_answer_is_dropped(hand: Hand, shape_file: Callable[[str], Path]) -> None:
    # Nothing is aborted here: the old answer does arrive, after the new one, and only its number tells.
    hand.page.evaluate("AbortController.prototype.abort = () => {}")
    held: list[Route] = []
    hand.page.route("**/v1/search?*", lambda route: held.append(route), times=1)  # noqa: PLW0108 - it needs a signature
    hand.sent_by(lambda: hand.page.set_input_files("#image-file", shape_file("square")))
    hand.page.get_by_role("button", name="Clear the board").click()
    hand.draw_shape("circle")
    hand.expect_best("circle")
    hand.wait_for_answer()

    with hand.page.expect_response(lambda response: "/v1/search" in response.url) as late:
        held[0].continue_()
    assert late.value.json()["results"][0]["metadata"]["name"] == "square"
    hand.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    hand.expect_best("circle")


def test_a_new_stroke_aborts_the_search_before_it(hand: Hand) -> None:
    hand.page.route("**/v1/search?*", lambda route: None, times=1)
    with hand.page.expect_event("requestfailed", lambda request: "/v1/search" in request.url) as aborted:
        hand.sent_by(lambda: hand.draw(LINE))
        hand.draw(SECOND_LINE)
    assert aborted.value.failure == "net::ERR_ABORTED"


def test_results_come_while_the_pen_rests_within_a_stroke(hand: Hand) -> None:
    x, y = hand.at((128, 30))
    hand.page.mouse.move(x, y)
    hand.page.mouse.down()
    for point in ((216, 128), (128, 226), (40, 128), (128, 30)):
        hand.page.mouse.move(*hand.at(point))
    expect(hand.page.locator(".card").first).to_be_visible()
    expect(hand.page.get_by_role("button", name="Undo")).to_be_disabled()  # there is no whole stroke yet
    hand.page.mouse.up()


def test_strokes_in_quick_succession_are_one_search(open_hand: OpenHand) -> None:
    hand = open_hand()
    hand.page.clock.install()
    searches: list[str] = []
    hand.page.on("request", lambda request: searches.append(request.url) if "/v1/search" in request.url else None)
    hand.page.clock.pause_at(hand.page.evaluate("Date.now()") + 60_000)
    hand.draw_shape("stripes")
    assert searches == []
    hand.page.clock.run_for(179)
    assert searches == []
    hand.page.clock.run_for(1)
    hand.expect_best("stripes")
    assert len(searches) == 1


def test_the_drawing_survives_a_reload(hand: Hand) -> None:
    hand.draw_shape("cross")
    hand.expect_best("cross")
    hand.page.reload()
    hand.expect_best("cross")
    expect(hand.page.get_by_role("img", name="Drawing board, 2 strokes")).to_be_visible()
    expect(hand.page.get_by_role("button", name="Undo")).to_be_disabled()


def test_the_canvas_has_the_pixels_of_the_screen(open_hand: OpenHand, hand: Hand) -> None:
    sharp = open_hand(device_scale_factor=2)
    assert sharp.page.evaluate("canvas.width / canvas.clientWidth") == 2
    assert hand.page.evaluate("canvas.width / canvas.clientWidth") == 1


def test_a_pen_presses_and_its_palm_does_not_draw(hand: Hand) -> None:
    """A palm lands first, the pen draws with growing pressure, the palm slides: one line, thicker at its end."""
    picture = hand.picture_sent_by(lambda: hand.page.evaluate(PEN_AND_PALM))
    expect(hand.page.get_by_role("img", name="Drawing board, 1 stroke")).to_be_visible()
    assert (picture[400:] == 255).all()
    start, end = (picture[:, 120] < 128).sum(), (picture[:, 390] < 128).sum()
    assert 0 < start < end


PEN_AND_PALM = """() => {
  const canvas = document.getElementById("canvas");
  const box = canvas.getBoundingClientRect();
  const send = (type, pointerType, pointerId, x, y, pressure = 0.5) => canvas.dispatchEvent(new PointerEvent(type, {
    pointerType, pointerId, pressure, clientX: box.left + x * box.width / 256, clientY: box.top + y * box.height / 256,
    bubbles: true, isPrimary: pointerId === 1, buttons: 1 }));
  send("pointerdown", "touch", 1, 40, 230);
  send("pointermove", "touch", 1, 60, 230);
  send("pointerdown", "pen", 2, 40, 100, 0.1);
  for (let i = 1; i <= 20; i++) {
    send("pointermove", "pen", 2, 40 + 9 * i, 100, 0.1 + 0.045 * i);
    send("pointermove", "touch", 1, 60 + 5 * i, 230);
  }
  send("pointerup", "pen", 2, 220, 100, 0);
  send("pointerdown", "touch", 3, 40, 220);
  send("pointermove", "touch", 3, 200, 220);
  send("pointerup", "touch", 3, 200, 220);
}"""
