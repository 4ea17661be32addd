"""Inkseek's kinds of index as a build tunes them, and the same FAISS file searched by FAISS alone.

`python -m benchmarks.index_table.ours KIND FOLDER RECALL THREADS` prints one JSON list.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import faiss
import numpy as np

from benchmarks.index_table.peers import K, reaches, recall, times_ms
from index_builder.quality.probes import Probe, photo_probe
from index_builder.quality.recall import answers, fastest_good, mean_recall
from index_builder.stores.base import VectorStore
from index_builder.stores.choice import ANN_INDEX, VECTORS, StoreVariant, build_store, open_store
from index_builder.stores.faiss.axes import padded, search_parameters
from index_builder.stores.plan import KindChoice, SearchPlan, choose_plan, memory_per_photo, plan_steps
from index_builder.stores.ranking import top_k
from models.arrays import Rows, Vectors

_CURVE_QUERIES = 300
_CURVE_ROWS = 100_000  # thousands of exact searches of more rows take longer than all else


def main(kind: KindChoice, folder: Path, required: float, threads: int) -> list[dict[str, object]]:
    """The figures of the kind and, where it has a FAISS file, of raw FAISS with the same one."""
    vectors: Vectors = np.load(folder / VECTORS, mmap_mode="r")
    count, dim = vectors.shape
    test, truth = np.load(folder / "test.npy"), np.load(folder / "test_rows.npy")
    started, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(dir=folder) as name:
        built_in = Path(name)
        (built_in / VECTORS).symlink_to(folder / VECTORS)
        variants = build_store(built_in, choose_plan(count, dim, kind), count=count, dim=dim, threads=threads)
        build = {
            "build_s": round(time.perf_counter() - started, 1),
            "build_cpu_s": round(time.process_time() - cpu, 1),
        }
        plan, _ = fastest_good(variants, Probe(np.load(folder / "tune.npy"), "sketches"), required)
        curve = [] if plan.is_exact or count > _CURVE_ROWS else recall_curve(variants, folder)
        del variants
        # From memory maps, as a service has it.
        store, index = open_store(built_in, plan, count=count, dim=dim), built_in / ANN_INDEX
        row = {
            "name": f"Inkseek {kind}",
            "setting": setting(plan),
            **figures(lambda query: found(store, query), test, truth),
            "bytes_per_photo": round((index if index.exists() else folder / VECTORS).stat().st_size / count),
            "memory_per_photo": round(memory_per_photo(plan, count, dim)),
            **build,
            "curve": curve,
        }
        return [row] if plan.is_exact else [row, {**raw_faiss(index, plan, vectors, folder, required), **build}]


def found(store: VectorStore, query: Vectors) -> Rows:
    """The ten rows that a search of the store answers."""
    (candidates,) = store.candidates(query[None], K)
    return top_k(store.products(query[None], candidates)[0], K, candidates)[1]


def figures(search: Callable[[Vectors], Rows], test: Vectors, truth: Rows) -> dict[str, float]:
    """Recall and time on the sketches that nothing was tuned on."""
    return {"recall": round(recall(search, test, truth), 4), **times_ms(search, test)}


def recall_curve(variants: Sequence[StoreVariant], folder: Path) -> list[dict[str, object]]:
    """Recall of each setting on human sketches, on drawings made from photos, and on photos."""
    sketches = np.concatenate([np.load(folder / "tune.npy"), np.load(folder / "test.npy")])
    exact = variants[0].store
    probes = {
        "sketches": Probe(sketches, "sketches"),
        "drawings": Probe(np.load(folder / "drawings.npy"), "drawings"),
        "photos": photo_probe(exact, _CURVE_QUERIES),
    }
    truths = {name: answers(exact, probe, exact=True) for name, probe in probes.items()}
    return [
        {
            "setting": setting(variant.plan),
            **{
                name: round(mean_recall(answers(variant.store, probe), truths[name]), 4)
                for name, probe in probes.items()
            },
        }
        for variant in variants
    ]


def raw_faiss(index: Path, plan: SearchPlan, vectors: Vectors, folder: Path, required: float) -> dict[str, object]:
    """The same file in memory, searched by FAISS alone at its fastest setting; codes are re-ranked by FAISS, too."""
    tune, truth = np.load(folder / "tune.npy"), np.load(folder / "tune_rows.npy")
    faiss.omp_set_num_threads(1)
    # The settings that Inkseek tries, in the same order, over vectors of the length that the index was built with.
    read = faiss.read_index(str(index))
    tune = padded(tune, read.d)
    searches = raw_searches(read, plan, padded(vectors, read.d))
    name, search = next(searches)
    while not reaches(required, search, tune, truth) and (following := next(searches, None)):
        name, search = following
    test, rows = padded(np.load(folder / "test.npy"), read.d), np.load(folder / "test_rows.npy")
    return {
        "name": f"FAISS {plan.factory}",
        "setting": name,
        **figures(search, test, rows),
        "bytes_per_photo": round(index.stat().st_size / len(vectors)),
    }


def raw_searches(index: Any, plan: SearchPlan, vectors: Vectors) -> Iterator[tuple[str, Callable[[Vectors], Rows]]]:
    """FAISS's own search at each setting; a graph of whole vectors needs no second ranking."""
    refined: Any = index if plan.kind == "hnsw" else faiss.IndexRefineFlat(index, faiss.swig_ptr(vectors))
    for step in plan_steps(plan):
        parameters: Any
        if step.ef_search is not None:
            graph = faiss.SearchParametersHNSW(efSearch=step.ef_search)  # type: ignore[attr-defined]
            parameters = search_parameters(index, graph)
        else:
            coarse: Any = None
            if "_HNSW" in (step.factory or ""):
                coarse = faiss.SearchParametersHNSW(efSearch=2 * (step.nprobe or 1))  # type: ignore[attr-defined]
            parameters = faiss.SearchParametersIVF(nprobe=step.nprobe, quantizer_params=coarse)  # type: ignore[call-arg]
        if refined is not index:
            refine: Any = faiss.IndexRefineSearchParameters
            parameters = refine(k_factor=float(step.candidate_factor), base_index_params=parameters)

        def search(query: Vectors, parameters: Any = parameters) -> Rows:
            rows: Rows = refined.search(query[None], K, params=parameters)[1][0]
            return rows

        yield setting(step), search


def setting(plan: SearchPlan) -> str:
    """What was tuned, in words."""
    searched = f"ef {plan.ef_search}" if plan.ef_search else f"nprobe {plan.nprobe}" if plan.nprobe else "every photo"
    return f"{searched}, {plan.candidate_factor} k re-scored" if plan.candidate_factor > 1 else searched


if __name__ == "__main__":
    assert sys.argv[1] in get_args(KindChoice)
    requested: Any = sys.argv[1]
    print(json.dumps(main(requested, Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))))
