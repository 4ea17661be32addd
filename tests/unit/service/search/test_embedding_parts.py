"""Searches of a bundle whose embeddings have parts: both among everything, the layout alone within a category."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index_builder.build import BuildRequest, build_index
from models.adapters import CategoryAdapter
from models.arrays import Vectors
from models.bundle import EmbeddingParts, Focus, Purpose
from service.adaptation.encoding import encode_sketch
from service.adaptation.examples import Examples
from service.adaptation.fit import fit
from service.config import Settings
from service.runtime.serving import load_bundle, load_retriever
from service.search.query import SearchQuery
from service.search.results import SearchResult
from service.search.retriever import Retriever
from service.sketches.sketch import EncodedImage
from service.store.records import AdapterTarget

Draw = Callable[[str, int], bytes]
CATEGORIES = ("box", "cross")


@pytest.fixture(scope="module")
def parted_index(tmp_path_factory: pytest.TempPathFactory, parted_bundle_dir: Path, draw: Draw) -> Path:
    root = tmp_path_factory.mktemp("shapes")
    for category in CATEGORIES:
        (root / category).mkdir()
        for number in range(4):
            (root / category / f"{number}.png").write_bytes(draw(category, number))
    out = tmp_path_factory.mktemp("index") / "parted"
    build_index(BuildRequest(photos=root, out=out, bundle=parted_bundle_dir))
    return out


@pytest.fixture
def parted(parted_index: Path, parted_bundle_dir: Path, tmp_path: Path) -> Iterator[Retriever]:
    settings = Settings(index=parted_index, bundle=parted_bundle_dir, online_dir=tmp_path / "online", threads=2)
    opened = load_retriever(settings, load_bundle(settings))
    yield opened
    opened.close()


def scores(result: SearchResult) -> dict[str, float]:
    return {hit.photo.photo_id: hit.score for hit in result.photos}


def sketch_vector(retriever: Retriever, data: bytes, *, in_detail: bool = False) -> Vectors:
    encoder, image = retriever.bundle.sketch, Image.open(io.BytesIO(data)).convert("RGB")
    vector: Vectors = encoder.encode(encoder.prepare(image, Purpose(in_detail=in_detail))[None])[0]
    return vector


def gallery(retriever: Retriever, category: str = "") -> tuple[list[str], Vectors]:
    photos = [retriever.index.photos([row])[0] for row in range(retriever.index.count)]
    rows = [row for row, photo in enumerate(photos) if category in ("", photo.category)]
    return [photos[row].photo_id for row in rows], retriever.index.vectors_of(np.array(rows))


def parts_of(retriever: Retriever) -> EmbeddingParts:
    assert retriever.bundle.parts is not None
    return retriever.bundle.parts


def test_everything_is_searched_by_both_parts(parted: Retriever, draw: Draw) -> None:
    drawing = draw("box", 2)
    names, vectors = gallery(parted)
    expected = dict(zip(names, (vectors @ sketch_vector(parted, drawing)).tolist(), strict=True))
    assert scores(parted.search(EncodedImage(drawing), SearchQuery(k=50))) == pytest.approx(expected, abs=1e-6)
    balanced = parted.search(EncodedImage(drawing), SearchQuery(k=50, focus="balanced"))
    assert scores(balanced) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("focus", ["kind", "detail"])
def test_focus_compares_one_part(parted: Retriever, draw: Draw, focus: Focus) -> None:
    drawing = draw("cross", 1)
    names, vectors = gallery(parted)
    parts, sketch = parts_of(parted), sketch_vector(parted, drawing)
    part = slice(0, 192) if focus == "detail" else slice(192, None)
    weight = parts.layout_weight if focus == "detail" else parts.kind_weight
    cosines = vectors[:, part] @ sketch[part] / weight  # the photo's part keeps its weight
    result = parted.search(EncodedImage(drawing), SearchQuery(k=50, focus=focus))
    assert scores(result) == pytest.approx(dict(zip(names, cosines.tolist(), strict=True)), abs=1e-5)
    assert result.adapted == "none"


@pytest.mark.parametrize("focus", [None, "detail"])
def test_a_category_is_searched_by_its_centred_layouts(parted: Retriever, draw: Draw, focus: Focus | None) -> None:
    drawing = draw("cross", 3)
    names, vectors = gallery(parted, "cross")
    layouts = vectors[:, :192] / np.linalg.norm(vectors[:, :192], axis=1, keepdims=True)
    sketch = sketch_vector(parted, drawing, in_detail=True)[:192]
    adapter = CategoryAdapter.centred(layouts)
    adapted = adapter.embed_sketches(sketch[None] / np.linalg.norm(sketch))
    expected = adapter.scores(adapted, adapter.embed_photos(layouts))[0]
    result = parted.search(EncodedImage(drawing), SearchQuery(k=50, categories=("cross",), focus=focus))
    assert result.adapted == "centred"
    assert scores(result) == pytest.approx(dict(zip(names, expected.tolist(), strict=True)), abs=1e-5)


def test_a_category_can_be_searched_by_kind(parted: Retriever, draw: Draw) -> None:
    drawing = draw("box", 1)
    query = SearchQuery(k=50, categories=("box",), focus="kind")
    names, vectors = gallery(parted, "box")
    sketch = sketch_vector(parted, drawing)
    cosines = vectors[:, 192:] @ sketch[192:] / parts_of(parted).kind_weight
    result = parted.search(EncodedImage(drawing), query)
    assert scores(result) == pytest.approx(dict(zip(names, cosines.tolist(), strict=True)), abs=1e-5)
    assert result.adapted == "none"


@pytest.mark.parametrize("scope", ["category", "profile"])
def test_adapters_are_fitted_to_layouts_and_applied(parted: Retriever, draw: Draw, scope: str) -> None:
    target = AdapterTarget("category", "box") if scope == "category" else AdapterTarget("profile", "ada")
    drawings = [draw("box", number) for number in (0, 2, 3)]
    examples = Examples(tuple(drawings), tuple(f"box/{number}.png" for number in (0, 2, 3)))
    sketches = [encode_sketch(parted, data, number, target) for number, data in enumerate(drawings)]
    new = fit(parted, target, examples, sketches, {}, force=True)
    record = parted.store.add(new, 4, max_photos=10)
    query = SearchQuery(k=4, categories=("box",), profile="ada" if scope == "profile" else None)
    result = parted.search(EncodedImage(drawings[0]), query)
    assert record.adapter_id == (result.adapter_id if scope == "category" else result.style_adapter_id)
    assert len(result.photos) == 4
    assert all(np.isfinite(hit.score) for hit in result.photos)
    without = parted.search(EncodedImage(drawings[0]), SearchQuery(k=4, categories=("box",), adapt=False))
    assert scores(without) != scores(result)
