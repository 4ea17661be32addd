"""Which index for how many photos: flat, HNSW and IVF+PQ by milliseconds a query, recall@10 and seconds to build.

python benchmarks/index_choice.py [--sizes 2000 10000 50000] [--bundle BUNDLE] [--queries 100]

Vectors: the demo gallery's real embeddings, multiplied by adding to one the difference of two others (x + a (y - z), of
unit length again), which keeps their spread and correlations. Queries are sketch-like, that is out of the photos'
distribution: a photo plus the measured offset between an example sketch and its own photo. One thread.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np

from index_builder.quality.probes import Probe
from index_builder.quality.recall import RECALL_K, fastest_good
from index_builder.stores.base import VectorStore
from index_builder.stores.choice import build_store
from index_builder.stores.plan import DEFAULT_NEEDS, KindChoice, choose_plan
from index_builder.stores.ranking import top_k
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Vectors
from models.bundle import Bundle, Encoder, Runtime, cpu_quota

_EXAMPLES = Path(__file__).parents[1] / "examples"
_REAL_PHOTOS = 800


def unit(vectors: Vectors) -> Vectors:
    rows: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return rows


def embed(encoder: Encoder, paths: list[Path]) -> Vectors:
    return encoder.embed(paths)


def real_vectors(bundle: Bundle) -> tuple[Vectors, Vectors]:
    """Photo embeddings (P, E), and offsets (S, E) from example sketches to their own photos."""
    paths = sorted((_EXAMPLES / "gallery").rglob("*.jpg"))
    photos = embed(bundle.photo, paths[:: max(1, len(paths) // _REAL_PHOTOS)])
    lines = (_EXAMPLES / "sketches" / "manifest.csv").read_text(encoding="utf-8").splitlines()[1:]
    pairs = [line.split(",")[:2] for line in lines]
    folder = _EXAMPLES / "sketches"
    sketches = embed(bundle.sketch, [folder / sketch for sketch, _ in pairs])
    return photos, sketches - embed(bundle.photo, [folder / photo for _, photo in pairs])


def multiplied(photos: Vectors, count: int, rng: np.random.Generator) -> Vectors:
    x, y, z = (photos[rng.integers(len(photos), size=count)] for _ in range(3))
    return unit(x + rng.uniform(0.2, 0.7, (count, 1)).astype(np.float32) * (y - z))


def sketch_like(vectors: Vectors, offsets: Vectors, count: int, rng: np.random.Generator) -> Vectors:
    start = vectors[rng.integers(len(vectors), size=count)]
    return unit(start + offsets[rng.integers(len(offsets), size=count)])


def milliseconds(search: Callable[[Vectors], object], queries: Vectors) -> float:
    """Median time of one query."""
    times = []
    for query in queries:
        started = time.perf_counter()
        search(query)
        times.append(time.perf_counter() - started)
    return float(np.median(times) * 1000)


def search(store: VectorStore, query: Vectors) -> object:
    (candidates,) = store.candidates(query[None], RECALL_K)
    return top_k(store.products(query[None], candidates)[0], RECALL_K, candidates)


def measure(kind: KindChoice, vectors: Vectors, queries: Vectors) -> dict[str, object]:
    """The fastest setting of `kind` that reaches the target recall (or its best)."""
    count, dim = vectors.shape
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with VectorWriter(folder / "vectors.npy", dim) as writer:
            writer.append(vectors)
        started = time.perf_counter()
        variants = build_store(folder, choose_plan(count, dim, kind), count=count, dim=dim, threads=cpu_quota())
        build_s = time.perf_counter() - started
        plan, report = fastest_good(variants, Probe(queries, "sketches"), DEFAULT_NEEDS.recall)
        store = next(variant.store for variant in variants if variant.plan == plan)
        ms = milliseconds(lambda query: search(store, query), queries)
    return {
        "kind": kind,
        "ms": ms,
        "recall": report.recall,
        "setting": plan.ef_search or plan.nprobe,
        "build_s": build_s,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2_000, 10_000, 50_000])
    parser.add_argument("--kinds", nargs="+", default=["flat", "hnsw", "ivfpq"])
    parser.add_argument("--bundle", help="a shipped bundle's name, or a directory")
    parser.add_argument("--queries", type=int, default=100)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    faiss.omp_set_num_threads(1)
    bundle = Bundle.load(options.bundle, Runtime(threads=1))
    photos, offsets = real_vectors(bundle)
    drawing = bundle.sketch.read(_EXAMPLES / "sketches" / "mug-doodle.png").pixels
    encode_ms = milliseconds(lambda _: bundle.sketch.encode(drawing[None]), photos[:50])
    print(f"E = {photos.shape[1]}; encoding one sketch takes {encode_ms:.2f} ms on one thread")
    for size in options.sizes:
        vectors = multiplied(photos, size, rng)
        queries = sketch_like(vectors, offsets, options.queries, rng)
        for kind in options.kinds:
            row = {"photos": size, **measure(kind, vectors, queries)}
            print(
                json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()})
            )


if __name__ == "__main__":
    main()
