"""Moving, scaling and zooming: with two fingers, the wheel, the tool and the keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import CDPSession, expect

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenUser
    from tests.end_to_end.page.user import User

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LINE = [(90.0, 128.0), (166.0, 128.0)]
STORED = "() => JSON.parse(sessionStorage.getItem('inkseek.drawing')).map(({ points }) => points)"
DEADLINE_S = 30


def zoom(user: User) -> Any:
    return user.page.locator("#zoom-reset")


def stored(user: User) -> list[list[list[float]]]:
    points: list[list[list[float]]] = user.page.evaluate(STORED)
    return points


def wait_for(user: User, holds: Callable[[list[list[list[float]]]], bool]) -> None:
    """Until it holds of the points of the stored drawing."""
    end = time.monotonic() + DEADLINE_S
    while not holds(stored(user)):
        assert time.monotonic() < end, stored(user)
        user.page.wait_for_timeout(50)


class Fingers:
    """Two of them on the board, in its units."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._touch: CDPSession = user.page.context.new_cdp_session(user.page)

    def send(self, kind: str, *points: tuple[float, float]) -> None:
        placed = [dict(zip("xy", self._user.at(point), strict=True), id=n) for n, point in enumerate(points)]
        self._touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": placed})

    def pinch(self, before: float, after: float) -> None:
        """Along a diagonal around the middle; distances of each finger from it."""
        self.send("touchStart", (128 - before, 128 - before))
        self.send("touchStart", (128 - before, 128 - before), (128 + before, 128 + before))
        for step in range(1, 9):
            apart = before + (after - before) * step / 8
            self.send("touchMove", (128 - apart, 128 - apart), (128 + apart, 128 + apart))
        self.send("touchEnd")


def test_two_fingers_zoom_the_board_and_draw_nothing(open_user: OpenUser) -> None:
    user = open_user(**PHONE)
    fingers = Fingers(user)
    fingers.pinch(20, 60)
    expect(zoom(user)).to_have_text("300 %")
    expect(user.page.get_by_role("img", name="Drawing board, empty")).to_be_visible()
    # A line is drawn where the finger is: through a board three times as large.
    fingers.send("touchStart", (8, 128))
    for x in range(20, 249, 12):
        fingers.send("touchMove", (x, 128))
    fingers.send("touchEnd")
    expect(user.page.get_by_role("img", name="Drawing board, 1 stroke")).to_be_visible()
    [points] = stored(user)
    assert points[0] == pytest.approx([88, 128], abs=2)
    assert points[-1] == pytest.approx([166.7, 128], abs=2.5)
    zoom(user).tap()
    expect(user.page.locator("#zoom")).to_be_hidden()
    fingers.pinch(60, 20)
    expect(zoom(user)).to_have_text("50 %")  # no further out
    assert user.page.evaluate("[scrollY, visualViewport.scale]") == [0, 1]


def test_the_move_tool_moves_and_scales_the_drawing(user: User) -> None:
    page = user.page
    first = user.picture_sent_by(lambda: user.draw(LINE))
    user.wait_for_answer()
    page.keyboard.press("v")
    expect(page.get_by_role("button", name="Move and scale")).to_have_attribute("aria-pressed", "true")
    user.draw([(128, 128), (148, 88)])  # a drag, with nothing drawn by it
    expect(page.get_by_role("img", name="Drawing board, 1 stroke")).to_be_visible()
    wait_for(user, lambda lines: abs(lines[0][0][1] - 88) < 0.5)
    assert stored(user)[0][0] == pytest.approx([110, 88], abs=0.5)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert stored(user)[0][0] == pytest.approx([102, 96], abs=0.5)
    user.wait_for_answer()
    sent = user.picture_sent_by(lambda: page.keyboard.press("+"))
    [start, end] = [stored(user)[0][0], stored(user)[0][-1]]
    assert end[0] - start[0] == pytest.approx(76 * 1.25, abs=0.5)
    assert (first == sent).mean() > 0.99  # the service frames what is drawn: it is the same drawing
    x, y = user.at((128, 128))
    page.mouse.move(x, y)
    page.mouse.wheel(0, 300)
    wait_for(user, lambda lines: lines[0][-1][0] - lines[0][0][0] < 70)
    for _ in range(5):
        page.keyboard.press("Control+z")
    wait_for(user, lambda lines: lines[0][0][1] == 128 and lines[0][0][0] == 90)
    page.keyboard.press("v")
    expect(page.get_by_role("button", name="Pen")).to_have_attribute("aria-pressed", "true")


def test_keys_zoom_the_board_and_what_leaves_it_is_still_searched_for(user: User) -> None:
    page = user.page
    page.keyboard.press("-")
    page.keyboard.press("-")
    page.keyboard.press("-")
    expect(zoom(user)).to_have_text("51 %")
    # Beyond the paper: the circle is twice as large as the board.
    picture = user.picture_sent_by(lambda: user.draw_shape("circle"))
    user.expect_best("circle")
    rows, columns = np.nonzero(picture < 128)
    assert [rows.min(), rows.max(), columns.min(), columns.max()] == pytest.approx([39, 472, 39, 472], abs=3)
    page.keyboard.press("0")
    expect(page.locator("#zoom")).to_be_hidden()
    page.keyboard.press("+")
    page.get_by_role("button", name="Zoom in").click()
    expect(zoom(user)).to_have_text("156 %")
    expect(page.get_by_role("button", name="156 %: show the whole board")).to_be_visible()
    before = page.evaluate("scrollY")
    page.keyboard.press("ArrowDown")  # pans, and does not scroll
    assert page.evaluate("scrollY") == before


def test_a_picture_is_moved_scaled_and_flipped_too(user: User, shape_file: Any) -> None:
    page = user.page
    user.sent_by(lambda: page.set_input_files("#image-file", shape_file("square")))
    user.expect_best("square")
    page.keyboard.press("v")
    for _ in range(3):
        page.keyboard.press("-")
    page.keyboard.press("ArrowLeft")
    user.expect_best("square")
    frame = page.evaluate("() => JSON.parse(sessionStorage.getItem('inkseek.drawing'))[0].frame")
    assert frame["side"] == pytest.approx(256 / 1.25**3)
    assert frame["x"] == pytest.approx((256 - frame["side"]) / 2 - 8)
    page.keyboard.press("f")
    mirrored = page.evaluate("() => JSON.parse(sessionStorage.getItem('inkseek.drawing'))[0].frame")
    assert mirrored["x"] == pytest.approx(256 - frame["x"] - frame["side"])
    page.reload()
    user.expect_best("square")
