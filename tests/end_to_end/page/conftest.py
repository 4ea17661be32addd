"""A real service over a small gallery of shapes, a browser, and a user who draws in it."""

from __future__ import annotations

import csv
import io
import math
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, expect, sync_playwright
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index_builder.build import BuildRequest, build_index
from models.adapters import Adaptation
from models.bundle import add_adaptation
from service.app import create_app
from service.config import Settings

Point = tuple[float, float]

TINY_DIM = 3 * 8 * 8  # of the tiny bundle's embeddings

BOARD_UNITS = 256
DESKTOP: dict[str, Any] = {"viewport": {"width": 1100, "height": 760}, "reduced_motion": "reduce"}
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def ring(x: float, y: float, radius: float, points: int = 32) -> list[Point]:
    return [
        (x + radius * math.cos(2 * math.pi * i / points), y + radius * math.sin(2 * math.pi * i / points))
        for i in range(points + 1)
    ]


# Shapes in board units. They fill their picture as the page frames a drawing: so the block means of the tiny bundle
# find the photo of each.
LOW, HIGH = 20.5, 235.5
CIRCLE = ring(128, 128, 107.5)
SHAPES: dict[str, dict[str, list[list[Point]]]] = {
    "round": {
        "circle": [CIRCLE],
        "two rings": [CIRCLE, ring(128, 128, 50)],
        "eyes": [ring(70, 128, 49.5), ring(186, 128, 49.5)],
        "chain": [ring(56, 128, 35.5), ring(128, 128, 35.5), ring(200, 128, 35.5)],
    },
    "angular": {
        "square": [[(LOW, LOW), (HIGH, LOW), (HIGH, HIGH), (LOW, HIGH), (LOW, LOW)]],
        "triangle": [[(128, LOW), (HIGH, HIGH), (LOW, HIGH), (128, LOW)]],
        "diamond": [[(128, LOW), (HIGH, 128), (128, HIGH), (LOW, 128), (128, LOW)]],
    },
    "lines": {
        "cross": [[(LOW, LOW), (HIGH, HIGH)], [(HIGH, LOW), (LOW, HIGH)]],
        "plus": [[(128, LOW), (128, HIGH)], [(LOW, 128), (HIGH, 128)]],
        "stripes": [[(LOW, y), (HIGH, y)] for y in (40, 128, 216)],
    },
}
SHAPE_COUNT = sum(map(len, SHAPES.values()))


def shape_picture(strokes: Sequence[Sequence[Point]]) -> Image.Image:
    picture = Image.new("RGB", (BOARD_UNITS, BOARD_UNITS), "white")
    draw = ImageDraw.Draw(picture)
    for stroke in strokes:
        draw.line([(x, y) for x, y in stroke], fill="black", width=3, joint="curve")
    return picture


@pytest.fixture(scope="session")
def index_dir(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path) -> Path:
    gallery = tmp_path_factory.mktemp("shapes")
    with (gallery / "manifest.csv").open("w", newline="") as file:
        manifest = csv.writer(file)
        manifest.writerow(["photo_path", "category", "name", "corners"])
        for category, shapes in SHAPES.items():
            for name, strokes in shapes.items():
                path = f"{category}/{name}.png"
                (gallery / category).mkdir(exist_ok=True)
                shape_picture(strokes).save(gallery / path)
                manifest.writerow([path, category, name, len(strokes[0])])
    out = tmp_path_factory.mktemp("shapes_index")
    build_index(BuildRequest(photos=gallery / "manifest.csv", out=out, bundle=tiny_bundle_dir, workers=1))
    return out


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


@pytest.fixture(scope="session")
def recorder(index_dir: Path, tiny_bundle_dir: Path) -> Recorder:
    return Recorder(create_app(Settings(index=index_dir, bundle=tiny_bundle_dir, threads=1)))


@pytest.fixture(scope="session")
def service_url(recorder: Recorder) -> Iterator[str]:
    with serving(recorder) as url:
        yield url


@pytest.fixture(scope="session")
def adaptive_bundle_dir(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path) -> Path:
    """The tiny bundle, and an adaptation whose step is so large that two drawings change what is found."""
    bundle = tmp_path_factory.mktemp("bundles") / "adaptive"
    shutil.copytree(tiny_bundle_dir, bundle)
    add_adaptation(bundle, Adaptation.untrained(TINY_DIM, rate=1.0))
    return bundle


@pytest.fixture
def adaptable_url(index_dir: Path, adaptive_bundle_dir: Path, tmp_path: Path) -> Iterator[str]:
    """A service of one's own whose bundle can be adapted, without adapters."""
    settings = Settings(index=index_dir, bundle=adaptive_bundle_dir, online_dir=tmp_path / "online", threads=1)
    with serving(create_app(settings)) as url:
        yield url


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The address where `app` answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        # None: the browser that `playwright install` fetched.
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield running
        running.close()


OpenContext = Callable[..., BrowserContext]


@pytest.fixture
def open_context(browser: Browser, service_url: str) -> Iterator[OpenContext]:
    """Makes browser contexts at the service's address and closes them after the test."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        settings: dict[str, object] = {
            "base_url": service_url,
            "viewport": {"width": 1280, "height": 800},
            "reduced_motion": "reduce",
            **options,
        }
        contexts.append(browser.new_context(**settings))  # type: ignore[arg-type]
        return contexts[-1]

    yield make
    for context in contexts:
        context.close()


@dataclass
class User:
    """Draws on the board of a page, in board units, and reads what the page sends."""

    page: Page
    recorder: Recorder
    photo_count = SHAPE_COUNT

    def open(self, address: str = "/") -> User:
        self.page.goto(address)
        expect(self.page.locator("#gallery-size")).to_have_text(f"{SHAPE_COUNT} photos")
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


OpenUser = Callable[..., User]


@pytest.fixture
def open_user(open_context: OpenContext, recorder: Recorder) -> OpenUser:
    """Opens the page in a browser context of one's own options."""
    return lambda address="/", **options: User(open_context(**options).new_page(), recorder).open(address)


@pytest.fixture(scope="session")
def desktop_page(browser: Browser, service_url: str) -> Iterator[Page]:
    """One window for many tests: a new one costs more than most tests do."""
    context = browser.new_context(base_url=service_url, **DESKTOP)
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


@pytest.fixture
def user(desktop_page: Page, recorder: Recorder) -> Iterator[User]:
    """The page in a desktop window, as on a first visit; an error in its console (of the content policy, say) fails."""
    desktop_page.unroute_all()
    desktop_page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
    with no_errors(desktop_page):
        yield User(desktop_page, recorder).open()


@pytest.fixture
def teacher(adaptable_url: str, open_user: OpenUser) -> Iterator[User]:
    """The page of a service whose bundle can be adapted, with *Teach it* open; an error in its console fails."""
    user = open_user(base_url=adaptable_url)
    with no_errors(user.page):
        user.page.get_by_role("button", name="Teach it").click()
        yield user


@contextmanager
def no_errors(page: Page) -> Iterator[None]:
    """Fails when the page's console has an error; an answer with an error status is none."""
    errors: list[str] = []

    def log(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            errors.append(message.text)

    def log_exception(error: Error) -> None:
        errors.append(str(error))

    page.on("console", log)
    page.on("pageerror", log_exception)
    yield
    page.remove_listener("console", log)
    page.remove_listener("pageerror", log_exception)
    assert not errors


@pytest.fixture
def shape_file(tmp_path: Path) -> Callable[[str], Path]:
    """Saves the drawing of a name as a picture."""

    def save(name: str) -> Path:
        [strokes] = [shapes[name] for shapes in SHAPES.values() if name in shapes]
        path = tmp_path / f"{name}.png"
        shape_picture(strokes).save(path)
        return path

    return save
