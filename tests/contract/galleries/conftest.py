"""Two galleries beside the default one: `shoes` of other photos, `chairs` of the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from index_builder.build import BuildRequest, build_index
from service.app import create_app
from service.config import Settings

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
MakeSettings = Callable[..., Settings]
Form = Callable[..., list[tuple[str, Any]]]


@pytest.fixture(scope="session")
def shoes_photos(tmp_path_factory: pytest.TempPathFactory, drawing: Drawing) -> Path:
    """Photos that no other gallery has: `tall/<n>.png`, boxes and waves turned on their side."""
    root = tmp_path_factory.mktemp("shoes") / "photos"
    (root / "tall").mkdir(parents=True)
    for number in range(4):
        drawing("box" if number % 2 else "wave form", number).rotate(90).save(root / "tall" / f"{number}.png")
    return root


@pytest.fixture
def galleries_dir(tmp_path: Path, index_dir: Path, shoes_photos: Path, adaptable_bundle_dir: Path) -> Path:
    """`shoes` of its own photos, `chairs` a copy of the default gallery; both may be changed."""
    root = tmp_path / "galleries"
    build_index(BuildRequest(photos=shoes_photos, out=root / "shoes", bundle=adaptable_bundle_dir))
    shutil.copytree(index_dir, root / "chairs", ignore=shutil.ignore_patterns("online"))
    return root


@pytest.fixture
def settings(
    make_settings: MakeSettings, galleries_dir: Path, adaptable_bundle_dir: Path, tmp_path: Path
) -> Callable[..., Settings]:
    def make(**changes: object) -> Settings:
        values: dict[str, object] = {"online_dir": tmp_path / "online", "index_poll_s": 0.05, **changes}
        return make_settings(bundle=adaptable_bundle_dir, galleries=str(galleries_dir), **values)

    return make


@pytest.fixture
def client(settings: Callable[..., Settings]) -> Iterator[TestClient]:
    with TestClient(create_app(settings()), raise_server_exceptions=False) as client:
        yield client
