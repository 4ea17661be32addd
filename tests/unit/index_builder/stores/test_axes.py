"""A graph over codes that compares coordinates on a gallery's main axes, and indexes from before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np

from index_builder.stores.choice import ANN_INDEX, VECTORS, build_store, open_store
from index_builder.stores.plan import SearchPlan, StoreSettings, choose_plan, code_dim, memory_per_photo, plan_steps
from index_builder.stores.ranking import top_k
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Vectors

SETTINGS = StoreSettings(hnsw_links=4, hnsw_ef_construction=8, ef_search=(1, 16, 300))


def folder_of(folder: Path, vectors: Vectors) -> Path:
    with VectorWriter(folder / VECTORS, vectors.shape[1]) as writer:
        writer.append(vectors)
    return folder


def test_a_graph_over_codes_compares_a_quarter_of_long_vectors() -> None:
    for dim, factory, compared in [
        (8, "HNSW4_SQ8", 16),
        (128, "HNSW4_SQ8", 128),
        (130, "SVD128,HNSW4_SQ8", 128),
        (384, "SVD128,HNSW4_SQ8", 128),
        (800, "SVD208,HNSW4_SQ8", 208),
        (996, "SVD256,HNSW4_SQ8", 256),
    ]:
        plan = choose_plan(500, dim, "sq8", SETTINGS)
        assert (plan.factory, code_dim(plan, dim)) == (factory, compared)
        assert memory_per_photo(plan, 500, dim) == compared + 2 * 4 * 4 + 16


def gallery_on_few_axes(count: int, dim: int) -> Vectors:
    """Most of the length on 100 axes of a random turn, as embeddings have it, and a little on all others."""
    rng = np.random.default_rng(1)
    spread = np.where(np.arange(dim) < 100, 1.0, 0.05)
    turn, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    rows = (rng.standard_normal((count, dim)) * spread + 0.3) @ turn
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_what_is_compared_are_the_axes_that_hold_most_of_the_gallery(tmp_path: Path) -> None:
    vectors = gallery_on_few_axes(600, 400)
    plan = choose_plan(600, 400, "sq8", SETTINGS)
    build_store(folder_of(tmp_path, vectors), plan, count=600, dim=400, threads=1, settings=SETTINGS)
    index: Any = faiss.read_index(str(tmp_path / ANN_INDEX))
    assert (index.d, index.index.d) == (400, 128)
    store = open_store(tmp_path, plan_steps(plan, SETTINGS)[-1], count=600, dim=400)
    queries = gallery_on_few_axes(640, 400)[600:]
    found = store.candidates(queries, 10)
    nearest = [set(top_k(vectors @ query, 10)[1].tolist()) for query in queries]
    assert np.mean([len(true & set(rows.tolist())) for true, rows in zip(nearest, found, strict=True)]) >= 9
    # The scores of what was found are of whole vectors, to the bit.
    np.testing.assert_array_equal(store.products(queries[:1], found[0]), store.products(queries[:1])[:, found[0]])


def test_deleted_rows_are_not_proposed_by_coordinates_either(tmp_path: Path) -> None:
    vectors = gallery_on_few_axes(600, 400)
    plan = choose_plan(600, 400, "sq8", SETTINGS)
    build_store(folder_of(tmp_path, vectors), plan, count=600, dim=400, threads=1, settings=SETTINGS)
    live = np.arange(1, 600, 2)
    store = open_store(tmp_path, plan_steps(plan, SETTINGS)[-1], count=600, dim=400, live=live)
    (rows,) = store.candidates(vectors[:1], 10)
    assert len(rows) >= 10 and set(rows.tolist()) <= set(live.tolist())


def test_an_index_from_before_coordinates_is_searched(tmp_path: Path) -> None:
    vectors = gallery_on_few_axes(300, 400)
    old = SearchPlan(kind="sq8", factory="HNSW4_SQ8", ef_search=300, candidate_factor=4)
    assert code_dim(old, 400) == 400
    build_store(folder_of(tmp_path, vectors), old, count=300, dim=400, threads=1, settings=SETTINGS)
    assert faiss.read_index(str(tmp_path / ANN_INDEX)).d == 400
    (rows,) = open_store(tmp_path, old, count=300, dim=400).candidates(vectors[5:6], 3)
    assert 5 in rows
