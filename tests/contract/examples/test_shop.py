"""The shop in a real browser, in front of a real service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from examples.shop.shop import create_app, create_shop
from inkseek_client import Client, Retries
from tests.end_to_end.chromium import chromium

CROSS = {"drawing": [[[20, 236], [20, 236]], [[236, 20], [20, 236]]]}


@contextmanager
def running(shop: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, shop, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def stroke(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From and to shares of the canvas."""
    box = page.locator("#board").bounding_box()
    assert box
    page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=10)
    page.mouse.up()


@pytest.mark.parametrize("size", [(1100, 800), (390, 844)])
def test_a_customer_draws_and_picks(client: Client, size: tuple[int, int]) -> None:
    errors: list[str] = []
    with running(create_shop(client)) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": size[0], "height": size[1]})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(url)
        stroke(page, (0.1, 0.1), (0.9, 0.9))
        with page.expect_response("**/search"):
            stroke(page, (0.9, 0.1), (0.1, 0.9))
        products = page.locator("#products figure")
        expect(products.first.locator(".name")).to_have_text("cross")
        expect(products).to_have_count(15)
        page.locator("#category").select_option("box")
        expect(products).to_have_count(5)
        page.locator("#category").select_option("")
        expect(products).to_have_count(15)
        page.wait_for_function("() => document.querySelector('#products img').naturalWidth > 0")
        picked = products.first.locator("img").get_attribute("alt")
        with page.expect_response("**/picks") as answered:
            products.first.get_by_text("This one").click()
        assert answered.value.status == 204
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.get_by_text("Start again").click()
        expect(products).to_have_count(0)
    [kept] = client.feedback().feedback
    assert f"cross {kept.photo_id}" == picked
    assert errors == []


def test_products_have_what_the_metadata_says(client: Client) -> None:
    found = create_shop(client).test_client().post("/search", json=CROSS).json
    assert found
    for product in found:
        record = client.photo(product["photo_id"])
        assert (product["name"], product["price"]) == (record.category, record.metadata["price"])


def test_pictures_are_passed_on(client: Client) -> None:
    shop = create_shop(client).test_client()
    answer = shop.get("/pictures/cross/1.png")
    assert (answer.mimetype, answer.data) == ("image/jpeg", client.thumbnail("cross/1.png"))
    assert shop.get("/pictures/cross/none.png").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"), [({"drawing": []}, 422), ({}, 422), ([], 400), ({**CROSS, "category": "none such"}, 422)]
)
def test_what_is_no_drawing_is_said(client: Client, body: object, status: int) -> None:
    assert create_shop(client).test_client().post("/search", json=body).status_code == status


def test_a_service_that_is_busy_or_away_is_said() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with Client("http://inkseek.test", retries=Retries(1), transport=httpx.MockTransport(away)) as client:
        answer = create_shop(client).test_client().post("/search", json=CROSS)
    assert (answer.status_code, answer.json) == (502, {"message": "The search is not available."})


def test_the_command_reads_the_environment(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SHOP_SERVICE", url)
    shop = create_app()
    assert shop.test_client().get("/").status_code == 200
    shop.extensions["inkseek"].close()
