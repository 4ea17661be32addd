"""What a sketch is prepared for: by the photos that are searched, as the index measured them."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from index_builder.artifact import GalleryIndex
from index_builder.build import BuildRequest, build_index, update_index
from models.bundle import Purpose, set_trimming
from service.adaptation.encoding import sketch_purpose
from service.config import Settings
from service.runtime.serving import load_bundle, load_retriever
from service.search.query import SearchQuery
from service.search.retriever import Retriever
from service.sketches.sketch import EncodedImage
from service.store.records import AdapterTarget

EACH = 13


def product(number: int) -> Image.Image:
    image = Image.new("RGB", (96, 96), "white")
    ImageDraw.Draw(image).rectangle((20 + number, 30, 70, 60), fill="navy")
    return image


def scene(number: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(number).integers(0, 255, (96, 96, 3), np.uint8))


@pytest.fixture(scope="module")
def trimming_bundle(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path) -> Path:
    """The tiny bundle, which cuts photos to the thing on their plain ground."""
    out = tmp_path_factory.mktemp("bundles") / "trimming"
    shutil.copytree(tiny_bundle_dir, out)
    set_trimming(out, trim=True)
    return out


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    for category, make, count in (("shop", product, EACH), ("street", scene, EACH), ("few", scene, 3)):
        (root / category).mkdir()
        for number in range(count):
            make(number).save(root / category / f"{number}.png")
    return root


@pytest.fixture
def retriever(photos: Path, trimming_bundle: Path, tmp_path: Path) -> Iterator[Retriever]:
    build_index(BuildRequest(photos=photos, out=tmp_path / "index", bundle=trimming_bundle))
    settings = Settings(index=tmp_path / "index", bundle=trimming_bundle, online_dir=tmp_path / "online", threads=1)
    opened = load_retriever(settings, load_bundle(settings))
    yield opened
    opened.close()


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def half_in_the_middle() -> Image.Image:
    page = Image.new("L", (256, 256), 255)
    ImageDraw.Draw(page).rectangle((70, 80, 180, 170), outline=0, width=3)
    return page


def test_an_index_tells_where_photos_show_things_alone(retriever: Retriever) -> None:
    alone = retriever.index.manifest.alone
    assert alone is not None
    assert alone.categories == {"shop": 1.0, "street": 0.0}
    assert alone.overall == pytest.approx(EACH / (2 * EACH + 3), abs=1e-4)


def test_small_drawings_are_framed_where_things_are_searched_that_stand_alone(retriever: Retriever) -> None:
    sketch, encoder = EncodedImage(png(half_in_the_middle())), retriever.bundle.sketch
    for query, expected in (
        (SearchQuery(), Purpose()),
        (SearchQuery(categories=("shop",)), Purpose(in_detail=True, alone=True)),
        (SearchQuery(categories=("shop",), focus="kind"), Purpose(alone=True)),
        (SearchQuery(categories=("shop", "street")), Purpose()),
        (SearchQuery(categories=("street",)), Purpose(in_detail=True)),
        (SearchQuery(categories=("few",)), Purpose(in_detail=True)),
        (SearchQuery(categories=("shop",), frame="false"), Purpose("false", in_detail=True, alone=True)),
    ):
        assert retriever.purpose(query) == expected
        view = encoder.view(half_in_the_middle(), expected)
        assert retriever.view(sketch, query).tobytes() == view.tobytes()
        np.testing.assert_array_equal(retriever.begin(sketch, query).inputs[0], encoder.preprocess.tensor(view))
    framed, kept = (retriever.view(sketch, SearchQuery(categories=(name,))).tobytes() for name in ("shop", "street"))
    assert framed != kept
    assert sketch_purpose(retriever, AdapterTarget("category", "shop")) == Purpose(in_detail=True, alone=True)
    assert sketch_purpose(retriever, AdapterTarget("profile", "ada"), "true") == Purpose("true")


def test_encoders_that_see_whole_photos_compare_drawings_where_they_lie(
    photos: Path, tiny_bundle_dir: Path, tmp_path: Path
) -> None:
    build_index(BuildRequest(photos=photos, out=tmp_path / "index", bundle=tiny_bundle_dir))
    index = GalleryIndex.load(tmp_path / "index")
    assert index.manifest.alone is None
    assert "alone" not in index.manifest.to_bytes().decode()
    index.close()


def test_an_update_measures_what_an_older_version_did_not(
    photos: Path, trimming_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = BuildRequest(photos=photos, out=tmp_path / "index", bundle=trimming_bundle)
    with monkeypatch.context() as before:
        before.setattr("index_builder.build.version.standing_alone", lambda *_: None)
        assert build_index(request).manifest.alone is None
    updated = update_index(request)
    assert updated.manifest.alone is not None and updated.manifest.alone.categories == {"shop": 1.0, "street": 0.0}
    assert updated.manifest.build.embedded == 0
    assert update_index(request).unchanged
