"""One of hnswlib, usearch and ScaNN, at its fastest setting that reaches a recall. It runs in the peers' environment.

python peers.py NAME FOLDER RECALL THREADS: FOLDER holds vectors.npy, tune.npy, test.npy and their true rows. Prints one
JSON document. It imports nothing of Inkseek, so that the environment needs none of it.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

K = 10
EF = (32, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
Floats: TypeAlias = npt.NDArray[np.float32]
Rows: TypeAlias = npt.NDArray[np.int64]
Search: TypeAlias = Callable[[Floats], Rows]


def hnswlib_peer(vectors: Floats, threads: int, scratch: Path) -> Iterable[tuple[str, Search, int]]:
    """A graph of 32 links, as Inkseek's, at each ef."""
    import hnswlib

    index = hnswlib.Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), ef_construction=200, M=32)
    index.add_items(vectors, num_threads=threads)
    index.save_index(str(scratch / "index"))
    for ef in EF:
        index.set_ef(ef)
        yield f"ef {ef}", lambda query: index.knn_query(query, K, num_threads=1)[0][0], size_of(scratch)


def usearch_peer(vectors: Floats, threads: int, scratch: Path) -> Iterable[tuple[str, Search, int]]:
    """A graph of 32 links, as Inkseek's, at each expansion."""
    from usearch.index import Index

    index = Index(ndim=vectors.shape[1], metric="ip", dtype="f32", connectivity=32, expansion_add=200)
    index.add(np.arange(len(vectors)), vectors, threads=threads)
    index.save(str(scratch / "index"))
    for ef in EF:
        index.expansion_search = ef
        yield f"expansion {ef}", lambda query: index.search(query, K, threads=1).keys, size_of(scratch)


def scann_peer(vectors: Floats, threads: int, scratch: Path) -> Iterable[tuple[str, Search, int]]:
    """Anisotropic codes of two numbers in 4 bits, in 4 sqrt(G) leaves, re-ordered exactly."""
    import scann

    leaves = 1 << round(math.log2(4 * math.sqrt(len(vectors))))
    searcher = (
        scann.scann_ops_pybind.builder(vectors, K, "dot_product")
        .tree(num_leaves=leaves, num_leaves_to_search=16, training_sample_size=min(len(vectors), 40 * leaves))
        .score_ah(2, anisotropic_quantization_threshold=0.2)
        .reorder(200)
        .set_n_training_threads(threads)
        .build()
    )
    searcher.serialize(str(scratch))
    for searched, reordered in ((8, 50), (16, 50), (32, 50), (32, 100), (64, 100), (128, 100), (256, 200), (512, 400)):

        def search(query: Floats, searched: int = searched, reordered: int = reordered) -> Rows:
            rows: Rows
            rows, _ = searcher.search(
                query, leaves_to_search=searched, pre_reorder_num_neighbors=reordered, final_num_neighbors=K
            )
            return rows

        yield f"leaves {searched}, reordered {reordered}", search, size_of(scratch)


PEERS = {"hnswlib": hnswlib_peer, "usearch": usearch_peer, "scann": scann_peer}


def size_of(folder: Path) -> int:
    """Bytes of its files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def recall(search: Search, queries: Floats, truth: Rows) -> float:
    """Mean share of the true ten rows that are found."""
    return float(np.mean(_shares(search, queries, truth)))


def reaches(required: float, search: Search, queries: Floats, truth: Rows) -> bool:
    """Whether that mean does so with a standard error to spare, as Inkseek's builds want it."""
    shares = _shares(search, queries, truth)
    return float(np.mean(shares) - np.std(shares, ddof=1) / np.sqrt(len(shares))) >= required


def _shares(search: Search, queries: Floats, truth: Rows) -> list[float]:
    found = [search(query) for query in queries]
    return [len(set(map(int, a)) & set(map(int, b))) / K for a, b in zip(found, truth, strict=True)]


def times_ms(search: Search, queries: Floats) -> dict[str, float]:
    """Median wall-clock and mean CPU milliseconds of one query, the best of three rounds."""
    walls, cpus = [], []
    for _ in range(3):
        wall, before = [], time.process_time()
        for query in queries:
            started = time.perf_counter()
            search(query)
            wall.append(time.perf_counter() - started)
        cpus.append((time.process_time() - before) / len(queries))
        walls.append(float(np.median(wall)))
    return {"ms_p50": round(min(walls) * 1000, 3), "cpu_ms": round(min(cpus) * 1000, 3)}


def main(name: str, folder: Path, required: float, threads: int) -> dict[str, object]:
    """The peer's figures."""
    vectors = np.load(folder / "vectors.npy")
    data = {part: np.load(folder / f"{part}.npy") for part in ("tune", "tune_rows", "test", "test_rows")}
    started, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        settings = iter(PEERS[name](vectors, threads, Path(scratch)))
        setting, search, size = next(settings)
        built = {
            "build_s": round(time.perf_counter() - started, 1),
            "build_cpu_s": round(time.process_time() - cpu, 1),
        }
        tuning = (data["tune"], data["tune_rows"])
        while not reaches(required, search, *tuning) and (following := next(settings, None)):
            setting, search, size = following
        return {
            "name": name,
            "setting": setting,
            "recall": round(recall(search, data["test"], data["test_rows"]), 4),
            **times_ms(search, data["test"]),
            "bytes_per_photo": round(size / len(vectors)),
            **built,
        }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))))
