"""The shop in Next.js: what it pins; built and started in front of a real service with a key, and drawn in."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from service.access.key_file import add_key
from service.access.keys import make_key
from service.config import Settings
from tests.contract.clients.conftest import serving
from tests.contract.examples.test_shop import CROSS, stroke
from tests.end_to_end.chromium import chromium

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "next_shop"
NEXT = FOLDER / "node_modules" / "next" / "dist" / "bin" / "next"
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
NODE = shutil.which("node", path=PATH) or "node"
SOURCES = [path for part in ("app", "components", "lib") for path in (FOLDER / part).rglob("*.ts*")]
DEADLINE_S = 120

needs_next = pytest.mark.skipif(not NEXT.exists(), reason="Next.js is not installed (make frameworks-test installs it)")


def test_versions_are_pinned_and_packages_come_from_wherever_the_machine_says() -> None:
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    locked = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    needed = {**package["dependencies"], **package["devDependencies"]}
    assert needed.pop("@inkseek/client") == "file:../../clients/typescript"
    for name, version in needed.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert locked[f"node_modules/{name}"]["version"] == version
    assert {about["resolved"] for about in locked.values() if "resolved" in about} == {"../../clients/typescript"}
    assert all(
        "integrity" in about
        for name, about in locked.items()
        if name.startswith("node_modules/") and not about.get("link")
    )


def test_the_key_is_read_by_the_server_alone() -> None:
    texts = {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in SOURCES}
    assert [name for name, text in texts.items() if "SHOP_KEY" in text] == ["lib/inkseek.ts"]
    assert 'import "server-only"' in texts["lib/inkseek.ts"]
    for name, text in texts.items():
        assert '"use client"' not in text or "lib/inkseek" not in text, name
        assert not re.search(r"process\.env\.NEXT_PUBLIC_", text), name


def environment(**changes: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return inherited | {"PATH": PATH, "NEXT_TELEMETRY_DISABLED": "1"} | changes


@contextmanager
def started(service: str, key: str) -> Iterator[str]:
    """The URL of the built shop, whose server knows the service and the key."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [NODE, str(NEXT), "start", "--hostname", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, cwd=FOLDER, env=environment(SHOP_SERVICE=service, SHOP_KEY=key))
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + DEADLINE_S
    try:
        while True:
            assert process.poll() is None, "the shop did not start"
            assert time.monotonic() < deadline, "the shop did not start in time"
            try:
                httpx.get(f"{url}/pictures/none", timeout=10)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


@pytest.fixture(scope="module")
def built() -> None:
    done = subprocess.run(
        [NODE, str(NEXT), "build"], cwd=FOLDER, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def key_and_url(make_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[tuple[str, str]]:
    settings = make_settings(online_dir=tmp_path / "online")
    new = make_key("shop", ("search",))
    add_key(settings.key_path, new.key)
    with serving(settings) as url:
        yield new.token, url


@pytest.mark.frameworks
@pytest.mark.timeout(1200)  # Next.js compiles for minutes on a busy machine
@needs_next
@pytest.mark.usefixtures("built")
def test_a_customer_draws(key_and_url: tuple[str, str]) -> None:
    key, service = key_and_url
    errors: list[str] = []
    with started(service, key) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        sent: list[str] = []
        page.on("response", lambda answer: sent.append(answer.url))
        page.goto(url)
        stroke(page, (0.1, 0.1), (0.9, 0.9))
        products = page.locator("figure")
        expect(products).to_have_count(15)
        stroke(page, (0.9, 0.1), (0.1, 0.9))
        expect(products.first.locator(".name")).to_have_text("cross")
        page.get_by_label("Category").select_option("box")
        expect(products).to_have_count(5)
        expect(products.first.locator(".price")).to_have_text(re.compile(r"^\d+$"))
        page.wait_for_function("() => document.querySelector('figure img').naturalWidth > 0")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.get_by_text("Start again").click()
        expect(products).to_have_count(0)
        assert all(address.startswith((url, "data:")) for address in sent)
        scripts = [address for address in sent if address.endswith(".js")]
        assert scripts
        assert not [address for address in (url, *scripts) if key in httpx.get(address).text]
    assert errors == []


@pytest.mark.frameworks
@pytest.mark.timeout(1200)
@needs_next
@pytest.mark.usefixtures("built")
def test_the_shop_says_what_went_wrong(key_and_url: tuple[str, str]) -> None:
    key, service = key_and_url
    with started(service, key) as url, httpx.Client(base_url=url, timeout=30) as shop:
        assert len(shop.post("/api/search", json=CROSS).json()["products"]) == 15
        bodies = [
            b"{",
            b"[]",
            b'{"drawing": []}',
            json.dumps({**CROSS, "category": "none such"}).encode(),
            b" " * 1_000_001,
        ]
        assert [shop.post("/api/search", content=body).status_code for body in bodies] == [400, 400, 422, 422, 413]
        picture = shop.get("/pictures/wave%20form/1.png")
        assert (picture.headers["content-type"], picture.content[:2]) == ("image/jpeg", b"\xff\xd8")
        assert shop.get("/pictures/cross/none.png").status_code == 404
    with started(service, "ink_wrong") as url:
        answer = httpx.post(f"{url}/api/search", json=CROSS, timeout=30)
        assert (answer.status_code, answer.json()) == (502, {"message": "The search is not available."})
        assert "Draw what you look for" in httpx.get(url, timeout=30).text
