"""A real service over a real small index: fifteen drawings in three categories, with metadata."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from index_builder.build import BuildRequest, build_index
from models.adapters import Adaptation
from models.bundle import add_adaptation
from service.app import create_app
from service.config import Settings

CATEGORIES = ("box", "cross", "wave form")
PER_CATEGORY = 5

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
Parts = list[tuple[str, Any]]
MakeSettings = Callable[..., Settings]


def draw(category: str, number: int) -> Image.Image:
    """A drawing of its own for each photo: dark strokes on white, 256 px."""
    image = Image.new("RGB", (256, 256), "white")
    pen = ImageDraw.Draw(image)
    low, high = 20 + 14 * number, 236 - 9 * number
    if category == "box":
        pen.rectangle((low, 20, high, 236 - 20 * number), outline="black", width=4)
    elif category == "cross":
        pen.line((low, 20, high, 236), fill="black", width=4)
        pen.line((236, 20 + 30 * number, 20, 236), fill="black", width=4)
    else:
        points = [(x, 128 + (20 + 18 * number) * ((x // 24) % 2 * 2 - 1)) for x in range(16, 241, 24)]
        pen.line(points, fill="black", width=4)
    return image


def encode(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=format, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def gallery_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos `<category>/<n>.png` and a manifest with the columns artist and price."""
    root = tmp_path_factory.mktemp("gallery")
    rows = []
    for category in CATEGORIES:
        (root / category).mkdir()
        for number in range(PER_CATEGORY):
            photo_id = f"{category}/{number}.png"
            draw(category, number).save(root / photo_id)
            rows.append((photo_id, category, "ada" if number % 2 else "bea", 10 * number))
    with (root / "photos.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("photo_path", "category", "artist", "price"))
        writer.writerows(rows)
    return root


@pytest.fixture(scope="session")
def index_dir(tmp_path_factory: pytest.TempPathFactory, gallery_dir: Path, tiny_bundle_dir: Path) -> Path:
    """The gallery's index; tests that publish another version make an index of their own."""
    out = tmp_path_factory.mktemp("indexes") / "index"
    build_index(BuildRequest(photos=gallery_dir / "photos.csv", out=out, bundle=tiny_bundle_dir))
    return out


@pytest.fixture(scope="session")
def make_settings(index_dir: Path, tiny_bundle_dir: Path) -> MakeSettings:
    """Settings of the small service, with changes."""

    def make(**changes: object) -> Settings:
        values: dict[str, object] = {"index": index_dir, "bundle": tiny_bundle_dir, "threads": 2, **changes}
        return Settings(**values)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def app(make_settings: MakeSettings) -> FastAPI:
    return create_app(make_settings(max_upload_bytes=200_000, max_image_pixels=1_000_000, max_batch_items=4))


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """The service, started once for all tests that do not change it."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def drawing() -> Callable[[str, int], Image.Image]:
    """The picture of a photo: as a sketch it finds that photo."""
    return draw


@pytest.fixture(scope="session")
def encoded() -> Encode:
    """An image as a file's bytes."""
    return encode


@pytest.fixture(scope="session")
def cross(drawing: Callable[[str, int], Image.Image]) -> bytes:
    """A sketch that finds `cross/2.png`."""
    return encode(drawing("cross", 2))


@pytest.fixture(scope="session")
def adaptable_bundle_dir(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path) -> Path:
    """The tiny bundle with an adaptation that weighs an embedding's numbers anew."""
    out = tmp_path_factory.mktemp("bundles") / "adaptable"
    shutil.copytree(tiny_bundle_dir, out)
    weights = np.diag(np.random.default_rng(0).uniform(0.2, 1.8, 192)).astype(np.float32)
    untrained = Adaptation.untrained(192)
    add_adaptation(out, replace(untrained, arrays={**untrained.arrays, "head": weights}))
    return out


@pytest.fixture(scope="session")
def support_form(drawing: Drawing, encoded: Encode) -> Callable[..., Parts]:
    """Fields of a form: drawings of a category with the photos of these numbers."""

    def make(category: str = "box", numbers: tuple[int, ...] = (0, 2, 4)) -> Parts:
        sketches = [("sketch", encoded(drawing(category, number))) for number in numbers]
        return [*sketches, *[("photo_id", (None, f"{category}/{number}.png")) for number in numbers]]

    return make
