"""Drawings that are kept: in a link, as files, and the recent ones in this browser."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.end_to_end.page.user import User

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.page.conftest import OpenContext, OpenUser
    from tests.end_to_end.page.user import Recorder

LINE = [(40.0, 128.0), (216.0, 128.0)]


def copied_link(user: User) -> str:
    """As its own field has it: there the clipboard is out of reach."""
    page = user.page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })")
    page.get_by_role("button", name="Save and recent").click()
    page.get_by_role("button", name="Copy a link").click()
    link = page.get_by_label("Link to the drawing").input_value()
    page.get_by_role("dialog", name="Save and recent").get_by_role("button", name="Close").click()
    return link


def saved(page: Page, name: str, path: Path) -> bytes:
    with page.expect_download() as downloading:
        page.get_by_role("button", name=name).click()
    downloading.value.save_as(path / downloading.value.suggested_filename)
    return (path / downloading.value.suggested_filename).read_bytes()


def test_a_link_brings_the_drawing_and_its_search(user: User, open_user: OpenUser) -> None:
    user.draw_shape("triangle")
    user.page.keyboard.press("e")
    user.draw([(128, 225), (128, 245)])
    user.wait_for_answer()
    drawn = user.picture_sent_by(lambda: user.page.keyboard.press("f"))
    link = copied_link(user)
    assert urlsplit(link).fragment.startswith("drawing=")
    assert len(link) < 300

    other = open_user("/")
    sent = other.picture_sent_by(lambda: other.page.goto(link))
    assert np.abs(sent.astype(float) - drawn).mean() < 4  # points are rounded to half units
    expect(other.page.get_by_role("img", name="Drawing board, 1 stroke")).to_be_visible()
    assert "#" not in other.page.url
    # Followed on the page itself, as from a bookmark, it takes the place of what is there; undo brings that back.
    other.page.keyboard.press("Delete")
    other.draw_shape("plus")
    other.page.evaluate("link => { location.href = link; }", link)
    expect(other.page.get_by_role("img", name="Drawing board, 1 stroke")).to_be_visible()
    other.page.keyboard.press("Control+z")
    expect(other.page.get_by_role("img", name="Drawing board, 2 strokes")).to_be_visible()


@pytest.mark.parametrize("code", ["", "AQ", "AgAKAQAA", "%%%", "AQAKAf____8H", "A" * 5000])
def test_a_broken_link_is_said_and_loses_nothing(user: User, code: str) -> None:
    user.draw_shape("plus")
    user.expect_best("plus")
    user.page.goto("about:blank")
    user.page.goto(f"/#drawing={code}")
    expect(user.page.get_by_text("The drawing in this link cannot be read.")).to_be_visible()
    expect(user.page.get_by_role("img", name="Drawing board, 2 strokes")).to_be_visible()


def test_a_long_drawing_still_fits_and_a_picture_does_not(user: User, shape_file: Any) -> None:
    result = user.page.evaluate(LONG)
    assert result["length"] <= 4000
    assert result["lines"] == 40
    assert result["worst"] < 3  # in units of the board's 256
    user.page.set_input_files("#image-file", shape_file("square"))
    user.page.get_by_role("button", name="Save and recent").click()
    user.page.get_by_role("button", name="Copy a link").click()
    expect(user.page.get_by_text("This drawing does not fit into a link")).to_be_visible()


def test_files_show_the_drawing(user: User, tmp_path: Path) -> None:
    user.draw(LINE)
    user.page.keyboard.press("e")
    user.draw([(128, 118), (128, 138)])
    user.page.keyboard.press("p")
    user.draw([(128, 200), (200, 200)])
    user.page.get_by_role("button", name="Save and recent").click()
    png = Image.open(io.BytesIO(saved(user.page, "Save as PNG", tmp_path))).convert("L")
    assert png.size == (1024, 1024)
    svg = saved(user.page, "Save as SVG", tmp_path)
    for picture in (np.asarray(png), rendered(user.page, svg)):
        assert picture[512, 300] < 128  # the line
        assert picture[512, 512] > 250  # the eraser's gap in it
        assert picture[800, 600] < 128  # what was drawn afterwards
        assert picture[300, 300] > 250
    # The service reads its own pages' files.
    found = user.page.request.post("/v1/search?k=1", data=svg, headers={"Content-Type": "image/svg+xml"})
    assert found.ok, found.text()


def rendered(page: Page, svg: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    pixels = page.evaluate(RENDER, svg.decode())
    return np.asarray(pixels, np.uint8).reshape(1024, 1024)


def recent(page: Page) -> Any:
    return page.get_by_role("list", name="Recent drawings").get_by_role("listitem")


def test_recent_drawings_come_back_and_can_be_deleted(open_user: OpenUser) -> None:
    user = open_user()  # a page of its own: a page that goes keeps its drawing
    page = user.page
    for name in ("circle", "plus"):
        user.draw_shape(name)
        user.expect_best(name)
        page.keyboard.press("Delete")
    page.reload()
    page.get_by_role("button", name="Save and recent").click()
    expect(recent(page)).to_have_count(2)
    page.get_by_role("button", name="Put recent drawing 2 on the board").click()
    user.expect_best("circle")
    expect(page.locator("#drawings-dialog")).to_be_hidden()

    page.get_by_role("button", name="Save and recent").click()
    page.get_by_role("button", name="Delete recent drawing 1").click()
    expect(recent(page)).to_have_count(1)
    expect(page.get_by_role("button", name="Delete recent drawing 1")).to_be_focused()
    page.get_by_role("button", name="Delete all").click()
    expect(page.get_by_text("No recent drawings yet")).to_be_visible()
    assert page.evaluate("localStorage.getItem('inkseek.recent')") is None


def test_only_a_few_are_kept(user: User) -> None:
    kept = user.page.evaluate(MANY)
    assert kept["count"] == 12
    assert kept["newest"] == [39, 39]
    assert kept["letters"] < 60_000


def test_without_storage_they_are_kept_as_long_as_the_page(open_context: OpenContext, recorder: Recorder) -> None:
    user = User(open_context().new_page(), recorder)
    page = user.page
    page.add_init_script(FORBID_STORAGE)
    user.open()
    user.draw_shape("circle")
    user.expect_best("circle")
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Save and recent").click()
    expect(recent(page)).to_have_count(1)
    page.get_by_role("button", name="Put recent drawing 1 on the board").click()
    user.expect_best("circle")


FORBID_STORAGE = """for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("forbidden", "SecurityError"); } });
}"""

LONG = """async () => {
  const { encode, decodeDrawing } = await import("/page/js/keeping/code.js");
  const turn = (n, i) => [128 + (20 + n) * Math.cos(i / 9 + n), 128 + (20 + n) * Math.sin(i / 9 + n)];
  const points = (n) => Array.from({ length: 100 }, (_, i) => turn(n, i));
  const drawing = Array.from({ length: 40 }, (_, n) => ({ kind: "stroke", width: 2.5, points: points(n) }));
  const code = encode(drawing);
  const back = decodeDrawing(code);
  const near = ([x, y], line) => Math.min(...line.points.slice(1).map(([bx, by], i) => {
    const [ax, ay] = line.points[i];
    const length = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
    const t = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
    return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
  }));
  const worst = Math.max(...drawing.flatMap((line, n) => line.points.map((point) => near(point, back[n]))));
  return { length: code.length, lines: back.length, worst };
}"""

MANY = """async () => {
  const { RecentDrawings } = await import("/page/js/keeping/recent.js");
  const recent = new RecentDrawings();
  for (let n = 0; n < 40; n++) recent.add([{ kind: "stroke", width: 2, points: [[n, n], [200, 10]] }]);
  recent.add([{ kind: "eraser", width: 2, points: [[1, 1]] }]);
  const all = new RecentDrawings().all;
  const letters = localStorage.getItem("inkseek.recent").length;
  return { count: all.length, newest: all[0].drawing[0].points[0], letters };
}"""

RENDER = """async (svg) => {
  const image = new Image();
  image.src = "data:image/svg+xml," + encodeURIComponent(svg);
  await image.decode();
  const context = Object.assign(document.createElement("canvas"), { width: 1024, height: 1024 }).getContext("2d");
  context.drawImage(image, 0, 0, 1024, 1024);
  return [...context.getImageData(0, 0, 1024, 1024).data.filter((_, i) => i % 4 === 0)];
}"""
