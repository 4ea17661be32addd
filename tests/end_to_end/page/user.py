"""A user who draws in the page, and a recorder of what the page sends."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, Request, expect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.end_to_end.page.shapes import BOARD_UNITS, SHAPE_COUNT, SHAPES, Point


def ink(picture: NDArray[np.uint8]) -> float:
    return float((255.0 - picture).sum() / 255.0)


class Recorder:
    """ASGI: passes everything on and keeps the body of the last search, since Playwright cannot see bodies of blobs."""

    last_sketch = b""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()

        async def record() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            if message["type"] == "http.request" and not message.get("more_body"):
                self.last_sketch = bytes(body)
            return message

        await self._app(scope, record if scope.get("path") == "/v1/search" else receive, send)


@dataclass
class User:
    """Draws on the board of a page, in board units, and reads what the page sends."""

    page: Page
    recorder: Recorder
    photo_count = SHAPE_COUNT

    def open(self, address: str = "/") -> User:
        self.page.goto(address)
        expect(self.page.locator("#gallery-size")).to_have_text(re.compile(r"^\d+ photos$"))
        return self

    def at(self, point: Point) -> Point:
        """Where a point of the board is in the window."""
        box = self.page.locator("#canvas").bounding_box()
        assert box
        scale = box["width"] / BOARD_UNITS
        return box["x"] + point[0] * scale, box["y"] + point[1] * scale

    def draw_shape(self, name: str, *, scale: float = 1, left: float = 0, top: float = 0) -> None:
        """The drawing of which a photo of that name is in the gallery."""
        for shapes in SHAPES.values():
            for stroke in shapes.get(name, []):
                self.draw([(left + scale * x, top + scale * y) for x, y in stroke])

    def draw(self, points: Sequence[Point]) -> None:
        """One stroke with the mouse."""
        self.page.mouse.move(*self.at(points[0]))
        self.page.mouse.down()
        for before, point in pairwise(points):
            # A mouse reports many points, and the board rounds between them: corners need near ones.
            self.page.mouse.move(*self.at(point), steps=math.ceil(math.dist(before, point) / 16))
        self.page.mouse.up()

    def sent_by(self, action: Callable[[], object]) -> Request:
        """The search that an action brings about."""
        with self.page.expect_request(lambda request: "/v1/search" in request.url) as caught:
            action()
        return caught.value

    def picture_sent_by(self, action: Callable[[], object]) -> NDArray[np.uint8]:
        """(H, W) grey levels of the sketch that an action makes the page send."""
        self.sent_by(action)
        self.wait_for_answer()
        with Image.open(io.BytesIO(self.recorder.last_sketch)) as image:
            assert image.format == "PNG"
            return np.asarray(image.convert("L"))

    def ink_sent_by(self, action: Callable[[], object]) -> float:
        """How much ink is on that sketch, in black pixels."""
        return ink(self.picture_sent_by(action))

    def wait_for_answer(self) -> None:
        """Until the results are those of the drawing."""
        expect(self.page.locator("#results")).not_to_have_attribute("aria-busy", "true")

    def names(self) -> list[str]:
        return self.page.locator(".card-name").all_text_contents()  # as they are, not with a capital as shown

    def expect_best(self, name: str) -> None:
        expect(self.page.locator(".card-name").first).to_have_text(name)
