"""A real service over a small gallery of shapes, a browser, and a user who draws in it."""

from __future__ import annotations

import csv
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page
from starlette.types import ASGIApp

from index_builder.build import BuildRequest, build_index
from models.adapters import Adaptation
from models.bundle import ScoreCalibration, SearchCalibration, add_adaptation, add_calibration
from service.app import create_app
from service.config import Settings
from tests.end_to_end.chromium import chromium
from tests.end_to_end.page.shapes import SHAPES, shape_picture
from tests.end_to_end.page.user import Recorder, User

TINY_DIM = 3 * 8 * 8  # of the tiny bundle's embeddings

DESKTOP: dict[str, Any] = {"viewport": {"width": 1100, "height": 760}, "reduced_motion": "reduce"}


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


@pytest.fixture
def doubtful_url(index_dir: Path, tiny_bundle_dir: Path, tmp_path: Path) -> Iterator[str]:
    """A service whose bundle says of every search over everything that nothing fits, and nothing of others."""
    bundle = shutil.copytree(tiny_bundle_dir, tmp_path / "doubtful")
    doubt = SearchCalibration(temperature=1.0, reference=0.0, offset=-4.0, threshold=0.5)
    add_calibration(bundle, ScoreCalibration(everything=doubt))
    with serving(create_app(Settings(index=index_dir, bundle=bundle, threads=1))) as url:
        yield url


@pytest.fixture
def twins_url(tiny_bundle_dir: Path, tmp_path: Path) -> Iterator[str]:
    """A service over the shapes in three files each, which look the same."""
    for category, shapes in SHAPES.items():
        (tmp_path / "photos" / category).mkdir(parents=True)
        for name, strokes in shapes.items():
            for copy in range(3):
                path = tmp_path / "photos" / category / f"{name}_{copy}.jpg"
                shape_picture(strokes).convert("RGB").save(path, quality=75 + 10 * copy)
    build_index(BuildRequest(tmp_path / "photos", tmp_path / "index", bundle=tiny_bundle_dir, workers=1))
    with serving(create_app(Settings(index=tmp_path / "index", bundle=tiny_bundle_dir, threads=1))) as url:
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each file: while Playwright runs, no other test of this process can run an event loop."""
    with chromium() as running:
        yield running


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


OpenUser = Callable[..., User]


@pytest.fixture
def open_user(open_context: OpenContext, recorder: Recorder) -> OpenUser:
    """Opens the page in a browser context of one's own options."""
    return lambda address="/", **options: User(open_context(**options).new_page(), recorder).open(address)


@pytest.fixture(scope="module")
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
