"""Stores and adapters made of small random numbers; and a small real index with a bundle that can adapt."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from index_builder.artifact import Thumbnail
from index_builder.build import BuildRequest, build_index
from models.adapters import Adaptation, CategoryAdapter, LeaveOneOut, Ranks, StyleAdapter
from models.bundle import add_adaptation
from service.config import Settings
from service.runtime.serving import load_bundle, load_retriever
from service.search.retriever import Retriever
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget, NewAdapter, NewPhoto, OnlinePhoto, SupportPair

DIM = 6
MakeAdapter = Callable[..., NewAdapter]
MakeStore = Callable[..., OnlineStore]


@pytest.fixture
def make_store(tmp_path: Path) -> MakeStore:
    """A process's view of the one online folder."""

    def make(bundle_id: str = "bundle-a", folder: str = "online") -> OnlineStore:
        return OnlineStore(tmp_path / folder, bundle_id, DIM)

    return make


@pytest.fixture
def make_adapter() -> MakeAdapter:
    """An adapter with two examples; its numbers follow from `seed`."""

    def make(
        name: str = "shoe", *, seed: int = 0, active: bool = True, scope: str = "category", bundle_id: str = "bundle-a",
        photos: tuple[NewPhoto, ...] = (),
    ) -> NewAdapter:  # fmt: skip
        rng = np.random.default_rng(seed)

        def numbers(*shape: int) -> NDArray[np.float32]:
            return rng.standard_normal(shape).astype(np.float32)

        category = CategoryAdapter(numbers(DIM), numbers(DIM, 4), 0.5, 0.25)
        ranks = Ranks(0.5, 2.0, 0.75)
        return NewAdapter(
            target=AdapterTarget("category" if scope == "category" else "profile", name),
            bundle_id=bundle_id,
            adaptation_id="adaptation-1",
            method="adaptive",
            margin=0.3,
            leave_one_out=LeaveOneOut(ranks, ranks),
            adapter=category if scope == "category" else StyleAdapter(numbers(DIM, 2), numbers(2, DIM), numbers(DIM)),
            activate=active,
            reason="because",
            support=(
                SupportPair(b"sketch 1", numbers(DIM), "shoe/1.png"),
                SupportPair(b"sketch 2", numbers(DIM), photos[0].photo.photo_id if photos else "shoe/2.png"),
            ),
            photos=photos,
            timings_ms={"fit": 1.5},
        )

    return make


@pytest.fixture
def new_photo() -> Callable[..., NewPhoto]:
    """An upload whose vector follows from its number."""

    def make(number: int, category: str = "shoe") -> NewPhoto:
        vector = np.random.default_rng(number).standard_normal(DIM).astype(np.float32)
        photo = OnlinePhoto(f"online/{number}", category, f"{number:064x}", 30, 20, vector / np.linalg.norm(vector))
        return NewPhoto(photo, Thumbnail(b"small", f"etag{number}"), b"file %d" % number)

    return make


SHAPES = ("box", "cross")
SHAPES_EACH = 4

Draw = Callable[[str, int], bytes]
MakeRetriever = Callable[..., Retriever]


def shape(category: str, number: int) -> Image.Image:
    """A drawing of its own for each photo: dark strokes on white, 64 px."""
    image = Image.new("RGB", (64, 64), "white")
    pen = ImageDraw.Draw(image)
    low, high = 6 + 5 * number, 58 - 3 * number
    if category == "box":
        pen.rectangle((low, 6, high, 58 - 6 * number), outline="black", width=3)
    else:
        pen.line((low, 6, high, 58), fill="black", width=3)
        pen.line((58, 6 + 9 * number, 6, 58), fill="black", width=3)
    return image


@pytest.fixture(scope="session")
def draw() -> Draw:
    """The PNG of a photo: as a sketch it finds that photo."""

    def make(category: str, number: int) -> bytes:
        buffer = io.BytesIO()
        shape(category, number).save(buffer, "PNG")
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def adaptable_bundle(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path) -> Path:
    """The tiny bundle with an adaptation that was meta-trained on nothing."""
    out = tmp_path_factory.mktemp("bundles") / "adaptable"
    shutil.copytree(tiny_bundle_dir, out)
    add_adaptation(out, Adaptation.untrained(192))
    return out


@pytest.fixture(scope="session")
def shapes_index(tmp_path_factory: pytest.TempPathFactory, adaptable_bundle: Path) -> Path:
    """Photos `<category>/<n>.png` with a price each: 0, 1, 2, 3."""
    root = tmp_path_factory.mktemp("shapes")
    lines = ["photo_path,category,price"]
    for category in SHAPES:
        (root / category).mkdir()
        for number in range(SHAPES_EACH):
            shape(category, number).save(root / category / f"{number}.png")
            lines.append(f"{category}/{number}.png,{category},{number}")
    (root / "photos.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path_factory.mktemp("index") / "shapes"
    build_index(BuildRequest(photos=root / "photos.csv", out=out, bundle=adaptable_bundle))
    return out


@pytest.fixture
def settings(shapes_index: Path, adaptable_bundle: Path, tmp_path: Path) -> Settings:
    """Of the shapes, with an online store of its own."""
    return Settings(index=shapes_index, bundle=adaptable_bundle, online_dir=tmp_path / "online", threads=2)


@pytest.fixture
def retriever(settings: Settings) -> Iterator[Retriever]:
    """The shapes, loaded as a process does."""
    opened = load_retriever(settings, load_bundle(settings))
    yield opened
    opened.close()
