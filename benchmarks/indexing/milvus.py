"""Vectors in Milvus: seconds to write and to update, milliseconds of a search, beside the client's own search.

python -m benchmarks.indexing.milvus --uri http://localhost:19530 [--photos 50000] [--dim 384] [--searches 200]

Vectors are synthetic: 500 clusters on the unit sphere, rows sorted by cluster as photos are by category. One thread.
The baseline is the same search through `pymilvus` alone, which returns Milvus's own scores and no vectors.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from index_builder.stores.base import VectorStore
from index_builder.stores.choice import Collection, MilvusCollections, MilvusServer, collection_variants
from index_builder.stores.exact import ExactStore
from index_builder.stores.plan import DEFAULT_SETTINGS, milvus_plan
from index_builder.stores.ranking import top_k
from index_builder.stores.row_map import RowMap
from models.arrays import Rows, Vectors

OLD, NEW = "0000010000000000", "0000020000000000"
CLUSTERS, K, UPDATED_SHARE, TARGET = 500, 10, 0.01, 0.98


def clustered(count: int, dim: int) -> Vectors:
    """(count, dim) unit rows around 500 centres, in the order of the centres."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((CLUSTERS, dim))
    rows = centres[np.sort(rng.integers(0, CLUSTERS, count))] + rng.standard_normal((count, dim))
    return unit(rows)


def unit(rows: npt.NDArray[np.floating]) -> Vectors:
    scaled: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def timed(job: Callable[[], object]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def percentiles(job: Callable[[int], object], number: int) -> dict[str, float]:
    times_ms = []
    for position in range(number):
        started = time.perf_counter()
        job(position)
        times_ms.append((time.perf_counter() - started) * 1000)
    return {"p50_ms": round(float(np.median(times_ms)), 2), "p95_ms": round(float(np.percentile(times_ms, 95)), 2)}


def best(store: VectorStore, query: Vectors, within: Rows | None = None) -> set[int]:
    """The K best rows, as a search of an index finds them."""
    (rows,) = store.candidates(query[None], K, within=within)
    return set(top_k(store.products(query[None], rows)[0], K, rows)[1].tolist())


def written(collections: MilvusCollections, name: str, segment: str, vectors: Vectors, rows: dict[str, int]) -> None:
    collections.upsert(name, segment, ExactStore(vectors))
    collections.finish(name, milvus_plan(len(vectors)), DEFAULT_SETTINGS, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uri", required=True)
    parser.add_argument("--photos", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--searches", type=int, default=200)
    given = parser.parse_args()
    server = MilvusServer(given.uri, timeout_s=60.0)
    collections = MilvusCollections(server, "inkseek_benchmark")
    vectors = clustered(given.photos, given.dim)
    new = clustered(round(given.photos * UPDATED_SHARE), given.dim)
    name = collections.new_name()
    try:
        figures = measured(server, collections, name, vectors, new, given.searches)
    finally:
        collections.keep({})
        collections.close()
    print(json.dumps({"photos": given.photos, "dim": given.dim, **figures}, indent=2))


def measured(
    server: MilvusServer, collections: MilvusCollections, name: str, vectors: Vectors, new: Vectors, searches: int
) -> dict[str, object]:
    count, dim = vectors.shape
    collections.create(name, dim)
    build_s = timed(lambda: written(collections, name, OLD, vectors, {OLD: count}))
    update_s = timed(lambda: written(collections, name, NEW, new, {OLD: count, NEW: len(new)}))
    places = np.column_stack([np.zeros(count), np.arange(count)]).astype(np.int32)
    collection = Collection(name, (OLD,), RowMap(places, [count]), dim)
    # Queries are out of the clusters' distribution, as sketches are out of that of photos.
    offsets = 1.5 * np.random.default_rng(1).standard_normal((searches, dim)) / np.sqrt(dim)
    queries = unit(vectors[:: count // searches][:searches] + offsets)
    exact = ExactStore(vectors)
    truth = [set(top_k(exact.products(query[None])[0], K)[1].tolist()) for query in queries]
    for variant in collection_variants(server, collection, milvus_plan(count)):
        store, plan = variant.store, variant.plan
        found = [best(store, query) for query in queries]
        recall = float(np.mean([len(mine & theirs) / K for mine, theirs in zip(found, truth, strict=True)]))
        if recall >= TARGET:
            break
    client = server.connect()
    partition = f"segment_{OLD}"
    parameters = {"metric_type": "IP", "params": {"ef": plan.ef_search}}

    def raw(position: int) -> None:
        client.search(
            name,
            [queries[position]],
            limit=K,
            search_params=parameters,
            partition_names=[partition],
            consistency_level="Eventually",
        )

    category, wide = np.arange(count // 2, count // 2 + 1_000), np.arange(count // 4, count // 2)
    first_s = timed(lambda: store.products(queries[:1], category))
    figures: dict[str, object] = {
        "build_s": round(build_s, 1),
        "vectors_per_s": round(count / build_s),
        f"update_of_{len(new)}_s": round(update_s, 1),
        "ef": plan.ef_search,
        "recall": round(recall, 4),
        "search": percentiles(lambda position: best(store, queries[position]), searches),
        "pymilvus_alone": percentiles(raw, searches),
        f"search_among_{len(wide)}": percentiles(lambda position: best(store, queries[position], wide), searches),
        f"category_of_{len(category)}_first_ms": round(first_s * 1000, 1),
        f"category_of_{len(category)}": percentiles(
            lambda position: store.products(queries[position : position + 1], category), searches
        ),
    }
    client.close()
    store.close()
    return figures


if __name__ == "__main__":
    main()
