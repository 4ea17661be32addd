"""The offline demo: files alone draw, encode and search in the browser, also once nobody serves them any more."""

from __future__ import annotations

import functools
import json
import math
import re
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from examples.offline.build_site import RUNTIME, build_site
from models.bundle import Bundle
from tests.end_to_end.page.conftest import no_errors
from tests.end_to_end.page.shapes import BOARD_UNITS, SHAPE_COUNT, SHAPES

pytestmark = pytest.mark.skipif(not RUNTIME.exists(), reason="`make test` installs onnxruntime-web")
LOADED_MS = 120_000  # 14 MB of WebAssembly are compiled, on a machine that is busy


class Quiet(SimpleHTTPRequestHandler):
    """Any static server, without its log."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site(index_dir: Path, tiny_bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("offline") / "site"
    build_site(index_dir, out, Bundle.load(tiny_bundle_dir))
    return out


@pytest.fixture
def server(site: Path) -> Iterator[ThreadingHTTPServer]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def draw(page: Page, name: str) -> None:
    box = page.locator("#board").bounding_box()
    assert box
    scale = box["width"] / BOARD_UNITS
    (strokes,) = [shapes[name] for shapes in SHAPES.values() if name in shapes]
    for stroke in strokes:
        points = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for before, point in pairwise(points):
            page.mouse.move(*point, steps=math.ceil(math.dist(before, point) / 16))
        page.mouse.up()


def expect_found(page: Page, photo_id: str) -> None:
    expect(page.locator("#results li").first).to_have_attribute("data-photo-id", photo_id, timeout=LOADED_MS)
    expect(page.locator("#results li")).to_have_count(SHAPE_COUNT)
    expect(page.locator("#figures")).to_contain_text(re.compile(r"Encoded in \d+ ms"))


def test_it_finds_what_is_drawn_and_goes_on_without_a_server(
    browser: Browser, server: ThreadingHTTPServer, shape_file: Callable[[str], Path]
) -> None:
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    with no_errors(page):
        page.goto(url)
        expect(page.locator("#state")).to_have_text(
            f"{SHAPE_COUNT} photos, kept for use without a network", timeout=LOADED_MS
        )
        for category, name in (("angular", "triangle"), ("round", "eyes"), ("lines", "plus")):
            draw(page, name)
            expect_found(page, f"{category}/{name}.png")
            page.get_by_role("button", name="Clear").click()
            expect(page.locator("#results li")).to_have_count(0)

        page.get_by_label("Picture").set_input_files(shape_file("diamond"))
        expect_found(page, "angular/diamond.png")
        assert (
            page.locator("#results img").first.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
        )

        server.shutdown()
        server.server_close()
        page.reload()
        expect(page.locator("body")).to_have_attribute("data-ready", "true", timeout=LOADED_MS)
        draw(page, "cross")
        expect_found(page, "lines/cross.png")
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#heading")).to_have_text("Draw something")
    assert all(address.startswith((url, "blob:", "data:")) for address in requested)
    page.close()


def test_a_site_has_a_version_made_of_its_contents(
    site: Path, index_dir: Path, tiny_bundle_dir: Path, tmp_path: Path
) -> None:
    bundle = Bundle.load(tiny_bundle_dir)
    sizes = build_site(index_dir, tmp_path / "same", bundle)
    build_site(index_dir, tmp_path / "fewer", bundle, photos=3)

    def head(folder: Path) -> list[str]:
        return (folder / "service_worker.js").read_text().splitlines()[:2]

    assert head(site) == head(tmp_path / "same")
    assert head(site)[0] != head(tmp_path / "fewer")[0]
    kept = json.loads(head(site)[1].removeprefix("const FILES = ").removesuffix(";"))
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert set(kept) == (files - {"service_worker.js"}) | {"./"}
    assert sizes["together"] == sum(path.stat().st_size for path in (tmp_path / "same").rglob("*") if path.is_file())
    assert len(json.loads((tmp_path / "fewer" / "gallery.json").read_text())["photos"]) == 3


def test_without_the_runtime_it_says_how_to_get_it(index_dir: Path, tiny_bundle_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="npm ci --prefix clients/typescript"):
        build_site(index_dir, tmp_path / "site", Bundle.load(tiny_bundle_dir), runtime=tmp_path)
    assert not (tmp_path / "site").exists()
