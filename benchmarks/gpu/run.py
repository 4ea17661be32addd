"""A GPU against the CPU: building a million vectors, and queries/s at 1, 16 and 256 at a time.

    python -m benchmarks.gpu.run [--vectors FILE.npy] [--count 1000000] [--dim 992] [--threads 16]

For a machine with a GPU and a GPU build of FAISS (the extras gpu or gpu12); it takes some minutes. `--vectors`: unit
rows, such as vectors.npy of `benchmarks/index_table`; without it, random ones, whose times are the same. The ranks of
the card are compared with an exact search. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from index_builder.stores.base import VectorStore
from index_builder.stores.choice import CPU, VECTORS, SearchDevice, build_store, open_device, open_store
from index_builder.stores.plan import SearchPlan, choose_plan
from index_builder.stores.ranking import top_k
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Vectors
from models.bundle import cpu_quota

_BATCHES = (1, 16, 256)
_BLOCK_ROWS = 50_000
_COMPARED = 50
_LEAST_S = 3.0
K = 10


def write_vectors(file: Path, source: Path | None, count: int, dim: int) -> tuple[int, int]:
    """vectors.npy of unit rows; returns its shape."""
    if source is not None:
        rows = np.load(source, mmap_mode="r")[:count]
        np.save(file, rows)
        return rows.shape[0], rows.shape[1]
    rng = np.random.default_rng(0)
    with VectorWriter(file, dim) as writer:
        for start in range(0, count, _BLOCK_ROWS):
            block = rng.standard_normal((min(_BLOCK_ROWS, count - start), dim), np.float32)
            writer.append(block / np.linalg.norm(block, axis=1, keepdims=True))
    return count, dim


def timed(function: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def best(store: VectorStore, queries: Vectors, *, exact: bool = False) -> list[list[int]]:
    """The ten rows that a search answers each query with."""
    found = store.candidates(queries, K, exact=exact)
    return [
        top_k(store.products(query[None], rows)[0], K, rows)[1].tolist()
        for query, rows in zip(queries, found, strict=True)
    ]


def queries_per_s(store: VectorStore, queries: Vectors, batch: int) -> float:
    """Queries that are answered per second, `batch` of them at a time."""
    best(store, queries[:batch])
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < _LEAST_S:
        best(store, queries[:batch])
        done += batch
    return round(done / (time.perf_counter() - started), 1)


def measure(folder: Path, count: int, dim: int, threads: int, device: SearchDevice) -> dict[str, object]:
    """Seconds to build on either, queries/s on either, and whether the ranks are equal."""
    plan = choose_plan(count, dim, "ivfpq")

    def build(on: SearchDevice) -> None:
        build_store(folder, plan, count=count, dim=dim, threads=threads, device=on)

    build_s = {on.name: round(timed(partial(build, on)), 1) for on in (CPU, device)}
    queries = np.array(open_store(folder, SearchPlan(), count=count, dim=dim).vectors_of(np.arange(max(_BATCHES))))
    rng = np.random.default_rng(1)
    queries += rng.standard_normal(queries.shape, np.float32) * 0.5 / np.sqrt(dim)
    queries = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)
    opened: dict[str, VectorStore] = {}

    def open_on_card() -> None:
        opened["card"] = open_store(folder, plan, count=count, dim=dim, device=device)

    adding_s = timed(open_on_card)
    stores = {"cpu": open_store(folder, plan, count=count, dim=dim), device.name: opened["card"]}
    rates = {
        name: {batch: queries_per_s(store, queries, batch) for batch in _BATCHES} for name, store in stores.items()
    }
    same = best(opened["card"], queries[:_COMPARED]) == best(stores["cpu"], queries[:_COMPARED], exact=True)
    for store in stores.values():
        store.close()
    return {
        "count": count,
        "dim": dim,
        "plan": plan.factory,
        "build_s": build_s,
        "adding_to_the_card_s": round(adding_s, 1),
        "queries_per_s": rates,
        "ranks_equal_an_exact_search": same,
        "device_problem": device.problem,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=992)
    parser.add_argument("--threads", type=int, default=cpu_quota(), help="of building on the CPU")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, closing(open_device("cuda")) as device:
        count, dim = write_vectors(Path(name) / VECTORS, options.vectors, options.count, options.dim)
        print(json.dumps(measure(Path(name), count, dim, options.threads, device), indent=1))


if __name__ == "__main__":
    main()
