"""The search use case on a real index, against scores computed from the definition."""

from __future__ import annotations

import copy
import io
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image

from index_builder.artifact import FilterInvalid, PhotoFilter, PhotoNotFound
from index_builder.build import BuildRequest, build_index
from models.adapters import CategoryAdapter, StyleAdapter
from models.arrays import Vectors
from models.bundle import Purpose, SketchEmpty
from service.config import Settings
from service.errors import UnknownCategory, UnknownProfile
from service.runtime.serving import load_bundle, load_retriever
from service.search.query import SearchQuery, unknown_name
from service.search.results import SearchResult, Stopwatch
from service.search.retriever import Retriever
from service.sketches.sketch import EncodedImage
from service.store.records import AdapterTarget

Draw = Callable[[str, int], bytes]


def ids(result: SearchResult) -> list[str]:
    return [hit.photo.photo_id for hit in result.photos]


def scores(result: SearchResult) -> dict[str, float]:
    return {hit.photo.photo_id: hit.score for hit in result.photos}


def vector_of(retriever: Retriever, data: bytes, *, in_detail: bool = False) -> Vectors:
    encoder, image = retriever.bundle.sketch, Image.open(io.BytesIO(data)).convert("RGB")
    vector: Vectors = encoder.encode(encoder.prepare(image, Purpose(in_detail=in_detail))[None])[0]
    return vector


def naive(retriever: Retriever, vector: Vectors, category: str = "") -> dict[str, float]:
    """Every photo's inner product, in float64."""
    index = retriever.index
    photos = {row: index.photos([row])[0] for row in range(index.count)}
    return {
        photo.photo_id: float(index.vector(row).astype(np.float64) @ vector)
        for row, photo in photos.items()
        if category in ("", photo.category)
    }


def test_plain_scores_are_cosines(retriever: Retriever, draw: Draw) -> None:
    drawing = draw("box", 2)
    result = retriever.search(EncodedImage(drawing), SearchQuery(k=50))
    expected = naive(retriever, vector_of(retriever, drawing))
    assert ids(result)[0] == "box/2.png"
    assert scores(result) == pytest.approx(expected, abs=1e-6)
    assert [hit.rank for hit in result.photos] == list(range(1, 9))
    assert list(scores(result).values()) == sorted(scores(result).values(), reverse=True)
    assert (result.adapted, result.adapter_id, result.style_adapter_id) == ("none", None, None)
    assert (result.bundle_id, result.index_version) == (retriever.bundle.bundle_id, retriever.index.version)
    assert set(result.timings_ms) == {"decode", "preprocess", "encode", "search", "total"}
    both = retriever.search(EncodedImage(drawing), SearchQuery(k=50, categories=("box", "cross")))
    assert scores(both) == scores(result)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_category_is_found_in_either_form_of_unicode(
    settings: Settings, draw: Draw, tmp_path: Path, form: Literal["NFC", "NFD"]
) -> None:
    category = unicodedata.normalize("NFC", "Ärmel")
    (tmp_path / "photos" / category).mkdir(parents=True)
    (tmp_path / "photos" / category / "1.png").write_bytes(draw("box", 1))
    build_index(BuildRequest(tmp_path / "photos", tmp_path / "index", settings.bundle))
    accented = load_retriever(settings.model_copy(update={"index": tmp_path / "index"}), load_bundle(settings))
    query = SearchQuery(categories=(unicodedata.normalize(form, category),))
    assert ids(accented.search(EncodedImage(draw("box", 1)), query)) == [f"{category}/1.png"]
    accented.close()


def test_scores_within_a_category_are_centred_and_rescaled(retriever: Retriever, draw: Draw) -> None:
    drawing = draw("cross", 1)
    vector = vector_of(retriever, drawing, in_detail=True)
    result = retriever.search(EncodedImage(drawing), SearchQuery(k=50, categories=("cross",)))
    rows = [row for row in range(retriever.index.count) if retriever.index.photos([row])[0].category == "cross"]
    photos = retriever.index.vectors_of(np.array(rows))
    adapter = CategoryAdapter.centred(photos)
    sketch = adapter.embed_sketches(vector[None])
    expected = np.clip(adapter.offset + adapter.scale * (sketch @ adapter.embed_photos(photos).T), -1, 1)[0]
    by_id = {retriever.index.photos([row])[0].photo_id: float(score) for row, score in zip(rows, expected, strict=True)}
    assert result.adapted == "centred"
    assert scores(result) == pytest.approx(by_id, abs=1e-5)
    assert scores(result) != pytest.approx(naive(retriever, vector, "cross"), abs=1e-3)


def test_queries_narrow(retriever: Retriever, draw: Draw) -> None:
    sketch = EncodedImage(draw("box", 0))
    every = retriever.search(sketch, SearchQuery(k=50))
    priced = retriever.search(sketch, SearchQuery(k=50, filters=("price>=1", "price<3")))
    assert ids(priced) == [photo for photo in ids(every) if photo[-5] in "12"]
    assert ids(retriever.search(sketch, SearchQuery(k=3))) == ids(every)[:3]
    threshold = every.photos[2].score
    assert ids(retriever.search(sketch, SearchQuery(k=50, min_score=threshold))) == ids(every)[:3]
    assert scores(retriever.search(sketch, SearchQuery(k=50, exact=True))) == scores(every)


def test_active_adapters_are_applied_in_turn(retriever: Retriever, draw: Draw, make_adapter: Any) -> None:
    sketch, query = EncodedImage(draw("box", 1)), SearchQuery(k=50, categories=("box",), profile="ada")
    with pytest.raises(UnknownProfile, match="there is no profile 'ada'"):
        retriever.search(sketch, query)
    rng = np.random.default_rng(0)
    shift: Vectors = (rng.standard_normal(192) / 20).astype(np.float32)
    mean: Vectors = (shift / 9).astype(np.float32)
    category = CategoryAdapter(mean, rng.standard_normal((192, 8)).astype(np.float32), 0.7, 0.1)
    plain = retriever.search(sketch, SearchQuery(k=50, categories=("box",)))
    applied = {}
    for target, adapter in (
        (AdapterTarget("profile", "ada"), StyleAdapter.shifting(shift)),
        (AdapterTarget("category", "box"), category),
    ):
        new = make_adapter(target.name, scope=target.scope, bundle_id=retriever.bundle.bundle_id)
        applied[target.scope] = retriever.store.add(replace(new, adapter=adapter), 9, 9).adapter_id
    result = retriever.search(sketch, query)
    assert (result.adapted, result.adapter_id) == ("adapter", applied["category"])
    assert result.style_adapter_id == applied["profile"]
    styled = StyleAdapter.shifting(shift).embed_sketches(vector_of(retriever, sketch.data, in_detail=True)[None])
    view = retriever.gallery().view
    rows = view.rows_where(PhotoFilter(frozenset(["box"])))
    expected = category.scores(category.embed_sketches(styled), category.embed_photos(view.vectors(rows)))[0]
    names = [photo.photo_id for photo in view.photos(rows.tolist())]
    assert scores(result) == pytest.approx(dict(zip(names, expected.tolist(), strict=True)), abs=1e-5)

    without = retriever.search(sketch, SearchQuery(k=50, categories=("box",), profile="ada", adapt=False))
    assert scores(without) == scores(plain)
    assert (without.adapted, without.style_adapter_id) == ("centred", None)
    other = retriever.search(sketch, SearchQuery(k=50, categories=("cross",)))
    assert other.adapted == "centred"


def test_similar_is_plain_and_leaves_the_photo_out(retriever: Retriever) -> None:
    result = retriever.similar("box/1.png", SearchQuery(k=50))
    expected = naive(retriever, retriever.index.vector(retriever.index.photo("box/1.png").row))
    del expected["box/1.png"]
    assert scores(result) == pytest.approx(expected, abs=1e-6)
    narrowed = retriever.similar("box/1.png", SearchQuery(k=2, categories=("cross",)))
    assert len(narrowed.photos) == 2 and all(hit.photo.category == "cross" for hit in narrowed.photos)
    with pytest.raises(PhotoNotFound):
        retriever.similar("box/9.png", SearchQuery())


def test_a_query_that_no_sketch_can_have(retriever: Retriever) -> None:
    retriever.check(SearchQuery(categories=("box",), filters=("price>1",)))
    for query, error in (
        (SearchQuery(categories=("bax",)), UnknownCategory),
        (SearchQuery(filters=("price",)), FilterInvalid),
        (SearchQuery(filters=("colour=red",)), FilterInvalid),
        (SearchQuery(profile="nobody"), UnknownProfile),
    ):
        with pytest.raises(error):
            retriever.check(query)


def test_the_view_is_what_the_encoder_sees(retriever: Retriever, draw: Draw) -> None:
    assert retriever.view(EncodedImage(draw("box", 0)), SearchQuery()).size == (32, 32)
    buffer = io.BytesIO()
    Image.new("L", (40, 40), 255).save(buffer, "PNG")
    for look in (retriever.view, retriever.search):
        with pytest.raises(SketchEmpty):
            look(EncodedImage(buffer.getvalue()), SearchQuery())


def test_within_one_category_bold_lines_stay(retriever: Retriever, draw: Draw) -> None:
    sketch, encoder = EncodedImage(draw("cross", 1)), retriever.bundle.sketch
    with Image.open(io.BytesIO(sketch.data)) as bold:  # 3 of 64 px
        bold.load()
    within, anywhere = (encoder.view(bold, Purpose(in_detail=in_detail)).tobytes() for in_detail in (True, False))
    assert within != anywhere
    for query, expected in (
        (SearchQuery(), anywhere),
        (SearchQuery(focus="detail"), anywhere),
        (SearchQuery(categories=("cross", "box")), anywhere),
        (SearchQuery(categories=("cross",), focus="kind"), anywhere),
        (SearchQuery(categories=("cross",), focus="balanced"), anywhere),
        (SearchQuery(categories=("cross",)), within),
        (SearchQuery(categories=("cross", "cross")), within),
        (SearchQuery(categories=("cross",), focus="detail"), within),
    ):
        view = retriever.view(sketch, query)
        assert view.tobytes() == expected, query
        np.testing.assert_array_equal(retriever.begin(sketch, query).inputs[0], encoder.preprocess.tensor(view))


def test_unknown_names_get_a_hint() -> None:
    known = ["Box", "cross", "wave form"]
    assert unknown_name("category", "bxo", known) == "there is no category 'bxo'; close ones are Box"
    assert "there are 3, such as Box, cross, wave form" in unknown_name("category", "zebra", known)
    assert unknown_name("profile", "ada", []) == "there is no profile 'ada'; there are none"


def test_a_stopwatch_records_what_did_not_fail() -> None:
    stopwatch = Stopwatch()
    with stopwatch.stage("one"):
        pass
    with pytest.raises(ValueError, match="x"), stopwatch.stage("two"):
        raise ValueError("x")
    timings = stopwatch.timings()
    assert set(timings) == {"one", "total"} and 0 <= timings["one"] <= timings["total"]


def test_a_gallery_is_at_hand_that_lies_in_memory_here(retriever: Retriever) -> None:
    def with_manifest(**changed: object) -> Retriever:
        manifest = retriever.index.manifest.model_copy(update=changed)
        index = copy.copy(retriever.index)
        index.manifest = manifest
        return replace(retriever, index=index)

    assert retriever.is_at_hand
    assert not with_manifest(collection="elsewhere").is_at_hand
    assert not with_manifest(count=200_000).is_at_hand


@pytest.mark.parametrize(
    "query",
    [
        SearchQuery(categories=("box",)),
        SearchQuery(filters=("width>1",)),
        SearchQuery(profile="ann"),
        SearchQuery(cursor="abc"),
        SearchQuery(exact=True),
        SearchQuery(mirror="true"),
        SearchQuery(group_duplicates=True),
    ],
)
def test_a_search_is_plain_that_looks_no_photo_up(query: SearchQuery) -> None:
    assert SearchQuery(k=50, frame="true", focus="kind", min_score=0.5).is_plain
    assert not query.is_plain
