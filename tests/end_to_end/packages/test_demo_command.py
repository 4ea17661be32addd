"""`inkseek demo`: where its index lies, what it serves, and what it says where the gallery is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from index_builder.artifact import layout
from inkseek import app
from service.cli.demo import data_folder, demo_gallery
from service.errors import DemoNotInstalled
from tests.end_to_end.packages.started import clean_environment, serving


def box(size: int) -> Image.Image:
    image = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(image).rectangle((10, 10, size, size), outline="black", width=4)
    return image


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for size in (40, 80, 120):
        box(size).save(folder / f"{size}.png")
    lines = ["photo_path,photo_id,category", *(f"{size}.png,box/{size},box" for size in (40, 80, 120))]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder / "manifest.csv"


def test_it_indexes_once_serves_the_page_and_opens_it(tmp_path: Path, tiny_bundle_dir: Path, manifest: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    command = [sys.executable, "-m", "inkseek", "demo", "--port", "0", "--photos", str(manifest)]
    command += ["--bundle", str(tiny_bundle_dir)]
    environment = clean_environment(
        HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path / "data"), BROWSER=f"{browser} %s", INKSEEK_WORKERS="1"
    )
    index = tmp_path / "data" / "inkseek" / "demo-index"
    with serving([*command, "--open"], Path.cwd(), environment) as address:
        assert "<canvas" in httpx.get(address, timeout=60).text
        sketch = (manifest.parent / "80.png").read_bytes()
        found = httpx.post(f"{address}v1/search", content=sketch, timeout=60).json()["results"]
        assert found[0]["photo_id"] == "box/80"
        assert httpx.get(f"{address}v1/photos/box/80/image", timeout=60).content == sketch
        version = layout.current_version(index)
    assert opened.read_text().strip() == address
    with serving(command, Path.cwd(), environment) as address:
        assert httpx.get(f"{address}readyz", timeout=60).status_code == 200
    assert layout.list_versions(index) == [version]


def test_without_the_gallery_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inkseek_demo", None)
    with pytest.raises(DemoNotInstalled):
        demo_gallery()
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    assert "inkseek-demo" in result.output and "--photos" in result.output


def test_a_gallery_that_is_not_there_fails_before_anything_is_served(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["demo", "--photos", str(tmp_path / "manifest.csv"), "--index", str(tmp_path / "index")]
    )
    assert result.exit_code == 1
    assert "GalleryInvalid" in result.output
    assert not layout.versions_dir(tmp_path / "index").exists()


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({}, "/home/ada/.local/share/inkseek"),
        ({"XDG_DATA_HOME": "/data"}, "/data/inkseek"),
        ({"XDG_DATA_HOME": ""}, "/home/ada/.local/share/inkseek"),
        ({"XDG_DATA_HOME": "relative/is/ignored"}, "/home/ada/.local/share/inkseek"),
    ],
)
def test_the_data_folder_is_that_of_the_specification(environment: dict[str, str], folder: str) -> None:
    assert data_folder(environment, Path("/home/ada")) == Path(folder)
