"""Recall against its definition, the choice of a setting, and the gate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from index_builder.artifact import GalleryIndex
from index_builder.build import BuildRequest, build_index
from index_builder.errors import GalleryInvalid, RecallTooLow
from index_builder.quality.probes import Probe, photo_probe, sketch_probe, spread
from index_builder.quality.recall import answers, fastest_good, mean_recall
from index_builder.stores.choice import StoreVariant
from index_builder.stores.exact import ExactStore
from index_builder.stores.faiss import FaissStore
from index_builder.stores.plan import KindChoice, Needs, SearchPlan, StoreSettings, choose_plan, plan_steps
from models.arrays import Vectors
from models.bundle import Bundle


def unit_rows(count: int, dim: int = 16, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    rows: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


def test_recall_is_the_mean_share_of_the_exact_answers() -> None:
    exact = [frozenset({1, 2, 3, 4}), frozenset({5, 6}), frozenset[int]()]
    approximate = [frozenset({1, 2, 9}), frozenset({5, 6}), frozenset({7})]
    assert mean_recall(approximate, exact) == pytest.approx((0.5 + 1.0) / 2)
    assert mean_recall([], []) == 1.0


def test_photos_look_for_their_neighbours_and_not_for_themselves() -> None:
    vectors = unit_rows(40)
    store = ExactStore(vectors)
    for row, rows in enumerate(answers(store, photo_probe(store), k=5)):
        scores = vectors.astype(np.float64) @ vectors[row]
        scores[row] = -2.0
        assert rows == frozenset(np.argsort(-scores)[:5].tolist())


def test_a_spread_is_even_and_always_the_same() -> None:
    assert spread(10, 100).tolist() == list(range(10))
    assert spread(101, 5).tolist() == [0, 25, 50, 75, 100]
    assert spread(1, 5).tolist() == [0]


@pytest.mark.parametrize("kind", ["hnsw", "sq8", "ivfpq"])
def test_the_fastest_setting_that_is_good_enough_is_taken(kind: KindChoice) -> None:
    vectors = unit_rows(1000, 32)
    settings = StoreSettings(
        hnsw_links=6, hnsw_ef_construction=12, ef_search=(1, 20, 400), nprobe=(1, 4, 16), ivf_wide=()
    )
    plan = choose_plan(len(vectors), 32, kind, settings)
    built = FaissStore.build(ExactStore(vectors), plan, threads=1, settings=settings)
    probe = Probe(unit_rows(30, 32, seed=1), "sketches")
    exact = [frozenset(np.argsort(-vectors @ query)[:10].tolist()) for query in probe.queries]
    variants = [StoreVariant(step, built.at(step)) for step in plan_steps(plan, settings)]
    measured = [mean_recall(answers(variant.store, probe), exact) for variant in variants]
    assert measured[0] < measured[-1]
    required = (measured[0] + measured[-1]) / 2
    errors = [standard_error(answers(variant.store, probe), exact) for variant in variants]
    reached = [value - error for value, error in zip(measured, errors, strict=True)]
    first = next(position for position, value in enumerate(reached) if value >= required)
    plan, report = fastest_good(variants, probe, required)
    assert (plan, report.recall) == (variants[first].plan, measured[first])
    assert (report.k, report.queries, report.query_count) == (10, "sketches", 30)
    # Out of reach: the best there is, with what it reaches.
    plan, report = fastest_good(variants, probe, 1.01)
    assert (plan, report.recall) == (variants[-1].plan, measured[-1])


def standard_error(found: list[frozenset[int]], exact: list[frozenset[int]]) -> float:
    shares = [len(mine & truth) / 10 for mine, truth in zip(found, exact, strict=True)]
    return float(np.std(shares, ddof=1) / np.sqrt(len(shares)))


def test_a_setting_that_just_gets_there_is_not_good_enough() -> None:
    vectors = unit_rows(1000, 32)
    settings = StoreSettings(hnsw_links=6, hnsw_ef_construction=12, ef_search=(20, 400))
    built = FaissStore.build(ExactStore(vectors), choose_plan(1000, 32, "hnsw", settings), threads=1, settings=settings)
    probe = Probe(unit_rows(30, 32, seed=1), "sketches")
    exact = [frozenset(np.argsort(-vectors @ query)[:10].tolist()) for query in probe.queries]
    faster, slower = (
        StoreVariant(step, built.at(step)) for step in plan_steps(choose_plan(1000, 32, "hnsw", settings), settings)
    )
    found = answers(faster.store, probe)
    recall, error = mean_recall(found, exact), standard_error(found, exact)
    assert 0 < error < recall < 1
    assert fastest_good([faster, slower], probe, recall - error - 0.001)[0] == faster.plan
    assert fastest_good([faster, slower], probe, recall)[0] == slower.plan
    # Where there is no other, it is the best there is, and its recall is the mean.
    assert fastest_good([faster], probe, recall)[1].recall == recall


def test_an_exact_store_needs_no_measurement() -> None:
    plan, report = fastest_good(
        [StoreVariant(SearchPlan(), ExactStore(unit_rows(4)))], Probe(unit_rows(2), "sketches"), 1
    )
    assert (plan.kind, report.recall, report.query_count) == ("flat", 1.0, 2)


def test_a_probe_of_equal_photos_does_not_count_itself() -> None:
    store = ExactStore(np.repeat(unit_rows(3), 4, axis=0))
    for row, rows in enumerate(answers(store, photo_probe(store), k=3)):
        twins = {4 * (row // 4) + offset for offset in range(4)} - {row}
        assert rows == twins


@pytest.fixture
def gallery(tmp_path: Path, draw_jpeg: Callable[..., bytes]) -> Path:
    root = tmp_path / "many"
    root.mkdir()
    for seed in range(80):
        (root / f"{seed:03d}.jpg").write_bytes(draw_jpeg(seed))
    return root


@pytest.fixture
def sketches(tmp_path: Path) -> Path:
    """Five drawings, an empty one, and a file that is none; a manifest names three of the drawings."""
    folder = tmp_path / "sketches"
    (folder / "shoe").mkdir(parents=True)
    for position in range(5):
        image = Image.new("L", (64, 64), 255)
        ImageDraw.Draw(image).line((5, 5 + 8 * position, 58, 58 - 8 * position), fill=0, width=3)
        image.save(folder / "shoe" / f"{position}.png")
    Image.new("L", (64, 64), 255).save(folder / "shoe" / "empty.png")
    (folder / "README.md").write_text("sketches")
    (folder / "manifest.csv").write_text(
        "sketch_path,photo_path\nshoe/0.png,x\nshoe/1.png,x\nshoe/1.png,y\nshoe/3.png,x\nshoe/missing.png,x\n"
    )
    return folder


def test_sketches_are_read_from_a_folder_or_a_manifest(sketches: Path, tiny_bundle_dir: Path) -> None:
    bundle = Bundle.load(tiny_bundle_dir)
    scanned = sketch_probe(sketches, bundle.sketch)
    assert (len(scanned.queries), scanned.unusable) == (5, 3)  # empty, README.md, manifest.csv
    listed = sketch_probe(sketches / "manifest.csv", bundle.sketch)
    assert (len(listed.queries), listed.unusable) == (3, 1)
    np.testing.assert_allclose(np.linalg.norm(scanned.queries, axis=1), 1.0, atol=1e-5)
    assert len(sketch_probe(sketches, bundle.sketch, max_queries=3).queries) <= 3


@pytest.mark.parametrize("content", ["", "photo_path\na.jpg\n", "sketch_path\nnowhere.png\n"])
def test_sketches_that_are_none_are_rejected(sketches: Path, tiny_bundle_dir: Path, content: str) -> None:
    (sketches / "bad.csv").write_text(content)
    with pytest.raises(GalleryInvalid):
        sketch_probe(sketches / "bad.csv", Bundle.load(tiny_bundle_dir).sketch)


def test_the_manifest_says_what_recall_was_measured_on(
    gallery: Path, sketches: Path, tmp_path: Path, tiny_bundle_dir: Path
) -> None:
    on_drawings = build_index(BuildRequest(gallery, tmp_path / "index", bundle=tiny_bundle_dir, kind="hnsw"))
    measured = on_drawings.manifest.recall
    assert measured is not None
    assert (measured.queries, measured.query_count, measured.source) == ("drawings", 80, None)
    assert measured.recall > 0.9
    request = BuildRequest(gallery, tmp_path / "index", bundle=tiny_bundle_dir, kind="hnsw", sketches=sketches)
    measured = build_index(request).manifest.recall
    assert measured is not None
    assert (measured.queries, measured.query_count, measured.unusable_sketches) == ("sketches", 5, 3)
    index = GalleryIndex.load(tmp_path / "index")
    queries = sketch_probe(sketches, Bundle.load(tiny_bundle_dir).sketch).queries
    results = [frozenset(hit.row for hit in hits) for hits in index.search(queries, 10)]
    exact = [frozenset(hit.row for hit in hits) for hits in index.search(queries, 10, exact=True)]
    assert measured.recall == pytest.approx(mean_recall(results, exact))


def test_the_gate_measures_the_index_that_would_be_published(
    gallery: Path, tmp_path: Path, tiny_bundle_dir: Path
) -> None:
    # A graph with hardly a link, searched hardly at all, finds little.
    request = BuildRequest(
        gallery,
        tmp_path / "index",
        bundle=tiny_bundle_dir,
        kind="hnsw",
        settings=StoreSettings(hnsw_links=2, hnsw_ef_construction=2, ef_search=(1,)),
        min_recall=1.0,
    )
    with pytest.raises(RecallTooLow) as caught:
        build_index(request)
    assert 0.0 < caught.value.measured < 1.0
    assert not (tmp_path / "index" / "current").exists()


def test_auto_falls_back_to_the_kind_that_reaches_the_target(
    gallery: Path, tmp_path: Path, tiny_bundle_dir: Path
) -> None:
    # The preferred graph has hardly a link and finds little; lists that are all searched find everything.
    poor = StoreSettings(flat_max_photos=10, hnsw_links=2, hnsw_ef_construction=2, ef_search=(1,), ivf_wide=((64, 8),))
    request = BuildRequest(gallery, tmp_path / "index", bundle=tiny_bundle_dir, settings=poor, needs=Needs(recall=0.98))
    manifest = build_index(request).manifest
    assert manifest.search.kind == "ivfpq"
    assert manifest.recall is not None and manifest.recall.recall >= 0.98
    index = GalleryIndex.load(tmp_path / "index")
    assert index.manifest.segments == manifest.segments
    # What was built on the way is gone.
    assert [path.name for path in (tmp_path / "index" / "segments").iterdir()] == [manifest.segments[0].name]
    queries = index.vectors_of(np.arange(5))
    assert [hits[0].row for hits in index.search(queries, 1)] == list(range(5))
    index.close()


def test_the_manifest_says_what_a_search_costs(gallery: Path, tmp_path: Path, tiny_bundle_dir: Path) -> None:
    request = BuildRequest(gallery, tmp_path / "index", bundle=tiny_bundle_dir, kind="sq8")
    manifest = build_index(request).manifest
    cost, (segment,) = manifest.cost, manifest.segments
    assert cost is not None
    folder = tmp_path / "index" / "segments" / segment.name
    on_disk = sum((folder / name).stat().st_size for name in ("vectors.npy", "index.faiss"))
    assert cost.bytes_per_photo == pytest.approx(on_disk / 80, abs=0.1)
    assert cost.memory_per_photo == 128 + 2 * 32 * 4 + 16  # of 192 numbers, 128 are compared
    assert 0 < cost.ms_p50 <= cost.ms_p95
    assert cost.queries == 80


@pytest.mark.parametrize("spread_of_queries", [0.0, 3.0])
def test_a_target_that_scoring_more_candidates_reaches_is_reached(spread_of_queries: float) -> None:
    """Vectors without any structure, 4-bit codes of which order little, and queries far from all of them."""
    vectors = unit_rows(3_000, 32)
    plan = choose_plan(len(vectors), 32, "ivfpq")
    built = FaissStore.build(ExactStore(vectors), plan, threads=1)
    offset = np.zeros(32, np.float32)
    offset[0] = spread_of_queries
    queries = unit_rows(30, 32, seed=2) + offset
    probe = Probe((queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32), "sketches")
    variants = [StoreVariant(step, built.at(step)) for step in plan_steps(plan)]
    for required in (0.98, 1.0):
        _, report = fastest_good(variants, probe, required)
        assert report.recall >= required
