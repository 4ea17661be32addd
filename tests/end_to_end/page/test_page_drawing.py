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
    from tests.end_to_end.page.conftest import OpenUser
    from tests.end_to_end.page.user import User

LINE = [(40.0, 128.0), (216.0, 128.0)]
SECOND_LINE = [(40.0, 60.0), (216.0, 60.0)]


def test_a_drawing_finds_its_photo(user: User) -> None:
    user.draw_shape("triangle")
    user.expect_best("triangle")
    assert len(user.names()) == user.photo_count
    expect(user.page.locator("#timing")).to_have_text(re.compile(rf"Searched {user.photo_count} photos in \d+ ms"))
    expect(user.page.locator("#announcer")).to_have_text(f"{user.photo_count} results, best: triangle in angular")
    expect(user.page.get_by_role("img", name="Drawing board, 1 stroke")).to_be_visible()


def test_the_sketch_is_sent_black_on_white_with_lines_like_the_training_data(user: User) -> None:
    picture = user.picture_sent_by(lambda: user.draw(LINE))
    assert picture.shape == (512, 512)
    assert picture[0, 0] == 255
    assert picture[256, 256] == 0
    assert (255.0 - picture[:, 256]).sum() / 255 == pytest.approx(5, abs=0.2)  # 2.5 of 256


def test_where_and_how_large_one_draws_does_not_matter(user: User) -> None:
    picture = user.picture_sent_by(lambda: user.draw_shape("plus", scale=0.3, left=170, top=10))
    user.expect_best("plus")
    rows, columns = np.nonzero(picture < 128)
    # 8 % of 512 px are free on each side, but for half a line's width.
    assert [rows.min(), rows.max(), columns.min(), columns.max()] == pytest.approx([39, 472, 39, 472], abs=2)
    assert (255.0 - picture[:, 100]).sum() / 255 == pytest.approx(5, abs=0.2)  # a line is no thicker for it


def test_the_dark_scheme_sends_the_same_picture(user: User, open_user: OpenUser) -> None:
    light = user.picture_sent_by(lambda: user.draw(LINE))
    dark = open_user(color_scheme="dark")
    assert (dark.picture_sent_by(lambda: dark.draw(LINE)) == light).all()


def test_undo_redo_and_clear_change_what_is_sent(user: User) -> None:
    undo, redo = user.page.get_by_role("button", name="Undo"), user.page.get_by_role("button", name="Redo")
    expect(undo).to_be_disabled()
    one = user.picture_sent_by(lambda: user.draw(LINE))
    two = user.picture_sent_by(lambda: user.draw(SECOND_LINE))
    assert (one != two).any()
    assert (user.picture_sent_by(undo.click) == one).all()
    assert (user.picture_sent_by(redo.click) == two).all()
    expect(redo).to_be_disabled()

    user.page.get_by_role("button", name="Clear the board").click()
    expect(user.page.get_by_text("A few lines are enough")).to_be_visible()
    expect(user.page.locator(".card")).to_have_count(0)
    assert (user.picture_sent_by(lambda: user.page.keyboard.press("Control+z")) == two).all()
    assert (user.picture_sent_by(lambda: user.page.keyboard.press("Control+z")) == one).all()
    assert (user.picture_sent_by(lambda: user.page.keyboard.press("Control+Shift+Z")) == two).all()


def test_flip_mirrors_the_drawing_and_undo_brings_it_back(user: User) -> None:
    flip = user.page.get_by_role("button", name="Flip left and right")
    expect(flip).to_be_disabled()
    user.draw([(60.0, 60.0), (60.0, 180.0)])
    drawn = user.picture_sent_by(lambda: user.draw([(60.0, 60.0), (160.0, 60.0)]))
    flipped = user.picture_sent_by(flip.click)
    assert (drawn != flipped).any()
    assert np.abs(flipped[:, ::-1].astype(float) - drawn).mean() < 1  # but for half a pixel of smoothing
    assert (user.picture_sent_by(lambda: user.page.keyboard.press("f")) == drawn).all()
    assert (user.picture_sent_by(lambda: user.page.keyboard.press("Control+z")) == flipped).all()


def test_the_eraser_takes_ink_away_and_the_pen_comes_back(user: User) -> None:
    whole = user.ink_sent_by(lambda: user.draw(LINE))
    user.page.get_by_role("button", name="Eraser").click()
    expect(user.page.get_by_role("button", name="Eraser")).to_have_attribute("aria-pressed", "true")
    rubbed = user.picture_sent_by(lambda: user.draw([(128, 100), (128, 156)]))
    assert rubbed[256, 256] == 255
    assert 0.8 * whole < (255.0 - rubbed).sum() / 255 < whole

    user.page.keyboard.press("e")
    mended = user.ink_sent_by(lambda: user.draw([(118, 128), (138, 128)]))
    assert mended == pytest.approx(whole, rel=0.02)


def test_all_erased_asks_to_keep_drawing(user: User) -> None:
    short = [(100.0, 128.0), (156.0, 128.0)]
    user.draw(short)
    user.wait_for_answer()
    user.page.keyboard.press("e")
    user.draw(short)
    expect(user.page.get_by_text("Keep drawing")).to_be_visible()
    expect(user.page.locator("#notice-detail")).to_have_text("the sketch is empty: nothing is drawn on it")
    expect(user.page.get_by_role("button", name="Try again")).to_be_hidden()


def test_width_and_its_keys(user: User) -> None:
    thin = user.ink_sent_by(lambda: user.draw(LINE))
    user.page.get_by_role("button", name="Clear the board").click()
    for _ in range(5):
        user.page.keyboard.press("]")
    expect(user.page.get_by_role("slider", name="Stroke width")).to_have_value("5")
    assert user.ink_sent_by(lambda: user.draw(LINE)) == pytest.approx(2 * thin, rel=0.02)


def test_a_stale_answer_is_dropped(user: User, shape_file: Callable[[str], Path]) -> None:
    # Nothing is aborted here: the old answer does arrive, after the new one, and only its number tells.
    user.page.evaluate("AbortController.prototype.abort = () => {}")
    held: list[Route] = []
    user.page.route("**/v1/search?*", lambda route: held.append(route), times=1)  # noqa: PLW0108 - it needs a signature
    user.sent_by(lambda: user.page.set_input_files("#image-file", shape_file("square")))
    user.page.get_by_role("button", name="Clear the board").click()
    user.draw_shape("circle")
    user.expect_best("circle")
    user.wait_for_answer()

    with user.page.expect_response(lambda response: "/v1/search" in response.url) as late:
        held[0].continue_()
    assert late.value.json()["results"][0]["metadata"]["name"] == "square"
    user.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    user.expect_best("circle")


def test_a_new_stroke_aborts_the_search_before_it(user: User) -> None:
    user.page.route("**/v1/search?*", lambda route: None, times=1)
    with user.page.expect_event("requestfailed", lambda request: "/v1/search" in request.url) as aborted:
        user.sent_by(lambda: user.draw(LINE))
        user.draw(SECOND_LINE)
    assert aborted.value.failure == "net::ERR_ABORTED"


def test_results_come_while_the_pen_rests_within_a_stroke(user: User) -> None:
    x, y = user.at((128, 30))
    user.page.mouse.move(x, y)
    user.page.mouse.down()
    for point in ((216, 128), (128, 226), (40, 128), (128, 30)):
        user.page.mouse.move(*user.at(point))
    expect(user.page.locator(".card").first).to_be_visible()
    expect(user.page.get_by_role("button", name="Undo")).to_be_disabled()  # there is no whole stroke yet
    user.page.mouse.up()


def test_strokes_in_quick_succession_are_one_search(open_user: OpenUser) -> None:
    user = open_user()
    user.page.clock.install()
    searches: list[str] = []
    user.page.on("request", lambda request: searches.append(request.url) if "/v1/search" in request.url else None)
    user.page.clock.pause_at(user.page.evaluate("Date.now()") + 60_000)
    user.draw_shape("stripes")
    assert searches == []
    user.page.clock.run_for(179)
    assert searches == []
    user.page.clock.run_for(1)
    user.expect_best("stripes")
    assert len(searches) == 1


def test_the_drawing_survives_a_reload(user: User) -> None:
    user.draw_shape("cross")
    user.expect_best("cross")
    user.page.reload()
    user.expect_best("cross")
    expect(user.page.get_by_role("img", name="Drawing board, 2 strokes")).to_be_visible()
    expect(user.page.get_by_role("button", name="Undo")).to_be_disabled()


def test_the_canvas_has_the_pixels_of_the_screen(open_user: OpenUser, user: User) -> None:
    sharp = open_user(device_scale_factor=2)
    assert sharp.page.evaluate("canvas.width / canvas.clientWidth") == 2
    assert user.page.evaluate("canvas.width / canvas.clientWidth") == 1


def test_a_pen_presses_and_its_palm_does_not_draw(user: User) -> None:
    """A palm lands first, the pen draws with growing pressure, the palm slides: one line, thicker at its end."""
    picture = user.picture_sent_by(lambda: user.page.evaluate(PEN_AND_PALM))
    expect(user.page.get_by_role("img", name="Drawing board, 1 stroke")).to_be_visible()
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
