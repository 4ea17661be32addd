"""The page of the web tutorial in a real browser, with the client and a service of another origin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.chromium import chromium
from tests.end_to_end.tutorials.page_runner import TUTORIALS, reader_in

BOOT = [(90, 60), (100, 180), (60, 240), (250, 245), (245, 205), (170, 170), (165, 60), (90, 60)]
"""A boot, in pixels of the board."""
LOADED = "images => images.length > 0 && images.every((image) => image.complete && image.naturalWidth > 0)"


def draw(page: Page, points: list[tuple[int, int]]) -> None:
    box = page.locator("#board").bounding_box()
    assert box
    page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=8)
    page.mouse.up()


@pytest.mark.timeout(900)
def test_drawing_in_the_page_finds_photos(tmp_path: Path) -> None:
    errors: list[str] = []
    with reader_in(tmp_path / "work") as reader, chromium() as browser:
        assert reader.follow(TUTORIALS / "web_app.md") >= 4
        page = browser.new_page(viewport={"width": 900, "height": 800})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(f"http://127.0.0.1:{reader.page_port}/")
        with page.expect_response("**/v1/search**") as answered:
            draw(page, BOOT)
        [stroke] = json.loads(answered.value.request.post_data or "{}")["strokes"]
        drawn = {(point["x"], point["y"]) for point in stroke}
        assert all(min(abs(x - at_x) + abs(y - at_y) for at_x, at_y in drawn) < 6 for x, y in BOOT)
        found = [hit["photo_id"] for hit in answered.value.json()["results"]]
        expect(page.locator("#results img")).to_have_count(12)
        assert [image.get_attribute("alt") for image in page.locator("#results img").all()] == found
        page.wait_for_function(f"() => ({LOADED})([...document.querySelectorAll('#results img')])")
        page.get_by_text("Start again").click()
        expect(page.locator("#results img")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert errors == []
