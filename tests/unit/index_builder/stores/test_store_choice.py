"""Plans, the stores that they become, and files that do not belong to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from index_builder.stores.choice import ANN_INDEX, VECTORS, build_store, open_store, store_files
from index_builder.stores.errors import StoreUnreadable
from index_builder.stores.exact import ExactStore
from index_builder.stores.faiss import FaissStore
from index_builder.stores.plan import (
    KindChoice,
    Needs,
    SearchPlan,
    StoreSettings,
    auto_plans,
    choose_plan,
    memory_per_photo,
    plan_steps,
)
from index_builder.stores.ranking import top_k
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Vectors

SETTINGS = StoreSettings(
    flat_max_photos=100,
    hnsw_max_photos=5_000,
    hnsw_links=4,
    hnsw_ef_construction=8,
    ef_search=(1, 16, 300),
    nprobe=(1, 4),
    ivf_wide=((4, 9),),
    ivf_candidate_factor=3,
)


def unit_rows(count: int, dim: int = 8, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    rows: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


def folder_of(tmp_path: Path, vectors: Vectors) -> Path:
    with VectorWriter(tmp_path / VECTORS, vectors.shape[1]) as writer:
        writer.append(vectors)
    return tmp_path


@pytest.mark.parametrize(
    ("count", "kind"), [(1, "flat"), (100, "flat"), (101, "sq8"), (5_000, "sq8"), (5_001, "ivfpq")]
)
def test_auto_follows_the_number_of_photos(count: int, kind: str) -> None:
    assert choose_plan(count, 64, settings=SETTINGS).kind == kind


def kinds(count: int, needs: Needs) -> list[str]:
    return [plan.kind for plan in auto_plans(count, 64, needs, SETTINGS)]


def test_auto_tries_what_fits_the_memory_and_keeps_the_rest_for_a_missed_recall() -> None:
    assert kinds(100, Needs()) == ["flat", "sq8", "hnsw", "ivfpq"]
    assert kinds(5_000, Needs()) == ["sq8", "hnsw", "ivfpq"]
    assert kinds(5_001, Needs()) == ["ivfpq"]
    # 64 numbers: 256 bytes and 48 of graph for each photo, 112 with codes of 8 bits, 20 and the centroids in lists.
    assert kinds(5_000, Needs(memory_bytes=5_000 * 304)) == ["sq8", "hnsw", "ivfpq"]
    assert kinds(5_000, Needs(memory_bytes=5_000 * 303)) == ["sq8", "ivfpq"]
    assert kinds(5_000, Needs(memory_bytes=5_000 * 111)) == ["ivfpq"]
    assert kinds(5_000, Needs(memory_bytes=1)) == ["ivfpq"]
    assert kinds(100, Needs(memory_bytes=100 * 255)) == ["sq8", "ivfpq"]


def test_a_recall_of_one_is_an_exact_search_of_any_size() -> None:
    assert kinds(1_000_000, Needs(recall=1.0)) == ["flat"]


@pytest.mark.parametrize("kind", ["hnsw", "sq8", "ivfpq"])
def test_the_memory_of_a_plan_is_that_of_its_file(tmp_path: Path, kind: KindChoice) -> None:
    count, dim = 4_000, 64
    plan = choose_plan(count, dim, kind)
    build_store(folder_of(tmp_path, unit_rows(count, dim)), plan, count=count, dim=dim, threads=1)
    actual = (tmp_path / ANN_INDEX).stat().st_size / count
    # Lists are padded to 32 rows, which weighs little where they are long.
    assert memory_per_photo(plan, count, dim) == pytest.approx(actual, rel=0.25 if kind == "ivfpq" else 0.05)


def test_the_shipped_bounds_are_ordered() -> None:
    settings = StoreSettings()
    assert 0 < settings.flat_max_photos < settings.hnsw_max_photos
    for steps in (settings.ef_search, settings.nprobe):
        assert list(steps) == sorted(set(steps))


def test_a_plan_starts_at_its_fastest_setting() -> None:
    assert choose_plan(300, 8, "hnsw", SETTINGS) == SearchPlan(kind="hnsw", factory="HNSW4", ef_search=1)
    plan = choose_plan(300, 8, "ivfpq", SETTINGS)
    assert (plan.nprobe, plan.candidate_factor) == (1, 3)
    assert choose_plan(300, 8, "flat", SETTINGS) == SearchPlan()


@pytest.mark.parametrize("kind", ["flat", "hnsw", "sq8", "ivfpq"])
def test_steps_change_the_setting_alone(kind: KindChoice) -> None:
    plan = choose_plan(300, 8, kind, SETTINGS)
    steps = plan_steps(plan, SETTINGS)
    assert steps[0] == plan
    assert [(step.ef_search or step.nprobe, step.candidate_factor) for step in steps] == {
        "flat": [(None, 1)],
        "hnsw": [(1, 1), (16, 1), (300, 1)],
        "sq8": [(1, 4), (16, 4), (300, 4)],
        "ivfpq": [(1, 3), (4, 3), (4, 9)],
    }[kind]
    for step in steps:
        tuned = {"ef_search", "nprobe", "candidate_factor"}
        assert step.model_dump(exclude=tuned) == plan.model_dump(exclude=tuned)


def test_no_two_steps_of_a_small_gallery_are_the_same_and_the_last_searches_every_list() -> None:
    for count in (16, 300, 35_063, 1_000_000):
        plan = choose_plan(count, 64, "ivfpq")
        lists = int((plan.factory or "").partition(",")[0].removeprefix("IVF").partition("_")[0])
        steps = [(step.nprobe, step.candidate_factor) for step in plan_steps(plan)]
        assert len(set(steps)) == len(steps)
        assert max(nprobe or 0 for nprobe, _ in steps) == lists
        assert steps[-1] == (lists, 1000)


@pytest.mark.parametrize(("count", "dim"), [(16, 1), (16, 800), (40, 7), (300, 10), (300, 9), (1000, 8)])
def test_ivfpq_can_be_trained_at_any_size(tmp_path: Path, count: int, dim: int) -> None:
    plan = choose_plan(count, dim, "ivfpq")
    (*_, best) = build_store(
        folder_of(tmp_path, unit_rows(count, dim)), plan, count=count, dim=dim, threads=1, settings=StoreSettings()
    )
    assert len(best.store.candidates(unit_rows(2, dim, seed=1), 5)[0]) >= 5


def test_too_few_photos_for_ivfpq_get_an_exact_store() -> None:
    assert [choose_plan(count, 8, "ivfpq").is_exact for count in (1, 15, 16)] == [True, True, False]


@pytest.mark.parametrize("kind", ["flat", "hnsw", "sq8", "ivfpq"])
def test_a_built_store_writes_its_files_and_opens_as_the_same(tmp_path: Path, kind: KindChoice) -> None:
    vectors, queries = unit_rows(300), unit_rows(5, seed=1)
    folder, plan = folder_of(tmp_path, vectors), choose_plan(300, 8, kind, SETTINGS)
    variants = build_store(folder, plan, count=300, dim=8, threads=1, settings=SETTINGS)
    assert [variant.plan for variant in variants] == plan_steps(plan, SETTINGS)
    assert sorted(path.name for path in folder.iterdir()) == sorted(store_files(plan))
    for variant in variants:
        opened = open_store(folder, variant.plan, count=300, dim=8)
        for built, again in zip(variant.store.candidates(queries, 9), opened.candidates(queries, 9), strict=True):
            assert built.tolist() == again.tolist()


def test_a_slower_setting_proposes_better_candidates(tmp_path: Path) -> None:
    vectors, queries = unit_rows(2_000), unit_rows(50, seed=1)
    settings = StoreSettings(hnsw_links=4, hnsw_ef_construction=8, ef_search=(1, 500))
    fast, slow = build_store(
        folder_of(tmp_path, vectors),
        choose_plan(2_000, 8, "hnsw", settings),
        count=2_000,
        dim=8,
        threads=1,
        settings=settings,
    )

    def queries_whose_nearest_is_proposed(store: FaissStore | ExactStore) -> int:
        nearest = [top_k(scores, 1)[1][0] for scores in queries @ vectors.T]
        return sum(row in rows for row, rows in zip(nearest, store.candidates(queries, 1), strict=True))

    assert isinstance(fast.store, FaissStore)
    assert isinstance(slow.store, FaissStore)
    assert queries_whose_nearest_is_proposed(fast.store) < queries_whose_nearest_is_proposed(slow.store)


@pytest.mark.parametrize("kept", [0, 10, 2_000])
def test_a_damaged_faiss_file_is_unreadable(tmp_path: Path, kept: int) -> None:
    folder, plan = folder_of(tmp_path, unit_rows(300)), choose_plan(300, 8, "hnsw", SETTINGS)
    build_store(folder, plan, count=300, dim=8, threads=1, settings=SETTINGS)
    (folder / ANN_INDEX).write_bytes((folder / ANN_INDEX).read_bytes()[:kept])
    with pytest.raises(StoreUnreadable, match=r"index\.faiss"):
        open_store(folder, plan, count=300, dim=8)


def test_a_missing_faiss_file_is_unreadable_and_an_exact_store_needs_none(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, unit_rows(300))
    with pytest.raises(StoreUnreadable, match=r"index\.faiss"):
        open_store(folder, choose_plan(300, 8, "hnsw", SETTINGS), count=300, dim=8)
    assert open_store(folder, SearchPlan(), count=300, dim=8).count == 300


def test_the_faiss_file_of_another_gallery_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plan = choose_plan(300, 8, "hnsw", SETTINGS)
    build_store(folder_of(tmp_path / "a", unit_rows(300)), plan, count=300, dim=8, threads=1, settings=SETTINGS)
    (tmp_path / "a" / ANN_INDEX).rename(folder_of(tmp_path / "b", unit_rows(299)) / ANN_INDEX)
    with pytest.raises(StoreUnreadable) as caught:
        open_store(tmp_path / "b", plan, count=299, dim=8)
    assert (caught.value.expected, caught.value.actual) == ("299 vectors", "300 vectors")


def test_a_faiss_file_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / ANN_INDEX).mkdir()
    plan = choose_plan(300, 8, "hnsw", SETTINGS)
    with pytest.raises(OSError, match=r"index\.faiss"):
        build_store(folder_of(tmp_path, unit_rows(300)), plan, count=300, dim=8, threads=1, settings=SETTINGS)


@pytest.mark.parametrize("dim", [8, 16, 20])
def test_codes_are_padded_to_a_length_that_is_compared_in_steps(tmp_path: Path, dim: int) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((500, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    plan = choose_plan(500, dim, "sq8", SETTINGS)
    build_store(folder_of(tmp_path, vectors), plan, count=500, dim=dim, threads=1, settings=SETTINGS)
    assert faiss.read_index(str(tmp_path / ANN_INDEX)).d == (32 if dim == 20 else 16)
    slow = plan_steps(plan, SETTINGS)[-1]
    store = open_store(tmp_path, slow, count=500, dim=dim)
    nearest = [top_k(scores, 1)[1][0] for scores in vectors[:50] @ vectors.T]
    proposed = store.candidates(vectors[:50], 5)
    assert sum(row in rows for row, rows in zip(nearest, proposed, strict=True)) >= 49


def test_an_index_from_before_codes_were_padded_is_searched(tmp_path: Path) -> None:
    vectors = unit_rows(300)
    plan = choose_plan(300, 8, "sq8", SETTINGS)
    folder = folder_of(tmp_path, vectors)
    old: Any = faiss.index_factory(8, plan.factory or "", faiss.METRIC_INNER_PRODUCT)
    old.train(vectors)
    old.add(vectors)
    faiss.write_index(old, str(folder / ANN_INDEX))
    (rows,) = open_store(folder, plan, count=300, dim=8).candidates(vectors[7:8], 3)
    assert 7 in rows
    other: Any = faiss.index_factory(24, plan.factory or "", faiss.METRIC_INNER_PRODUCT)
    wide = np.pad(vectors, ((0, 0), (0, 16)))
    other.train(wide)
    other.add(wide)
    faiss.write_index(other, str(folder / ANN_INDEX))
    with pytest.raises(StoreUnreadable, match="numbers"):
        open_store(folder, plan, count=300, dim=8)


def test_an_index_that_comes_back_short_is_filled_up(tmp_path: Path) -> None:
    # One of many lists is probed, so that FAISS has fewer rows than requested.
    vectors = unit_rows(1_000)
    plan = choose_plan(1_000, 8, "ivfpq", SETTINGS).model_copy(update={"candidate_factor": 1})
    store = FaissStore.build(ExactStore(vectors), plan, threads=1, settings=SETTINGS)
    (few,) = store.candidates(vectors[:1], 5)
    assert 5 <= len(few) < 1_000
    (all_rows,) = store.candidates(vectors[:1], 900)
    assert all_rows.tolist() == list(range(1_000))
