"""Which FAISS index a gallery of a given size gets, and how it is built."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal, TypeAlias

import faiss
import numpy as np

from index_builder.artifact.layout import fsync_path
from index_builder.artifact.manifest import SearchPlan
from models.arrays import Vectors

KindChoice: TypeAlias = Literal["auto", "flat", "hnsw", "ivfpq"]

# Up to here the exact answer costs at most a sixth of encoding the sketch (14 ms). benchmarks/index_choice.py, 800
# numbers, one thread: flat 1.0 ms for 10,000 photos, 5.4 ms for 50,000; HNSW 0.15 and 0.38 ms at a recall@10 of 0.99.
FLAT_MAX_PHOTOS = 20_000
# Beyond, a graph over full vectors costs too much memory and time to build; 4-bit codes are re-scored from vectors.npy.
HNSW_MAX_PHOTOS = 2_000_000

_HNSW_LINKS = 32
_HNSW_EF_CONSTRUCTION = 200
_IVF_RESCORED = 20  # candidates re-scored for one result: 4-bit codes alone lose the fine order of the top 10
_TRAINING_ROWS_PER_LIST = 40
_ADD_BLOCK_ROWS = 65_536

# Tried from the fastest on, until the wanted recall is reached.
EF_SEARCH_STEPS = (32, 64, 128, 256, 512)
NPROBE_STEPS = (8, 16, 32, 64, 128)


def choose_plan(count: int, embedding_dim: int, kind: KindChoice = "auto") -> SearchPlan:
    """The plan for `count` vectors, still at its fastest setting; `index_builder.quality` tunes it."""
    if kind == "auto":
        kind = "flat" if count <= FLAT_MAX_PHOTOS else "hnsw" if count <= HNSW_MAX_PHOTOS else "ivfpq"
    if kind == "flat":
        return SearchPlan(kind="flat")
    if kind == "hnsw":
        return SearchPlan(kind="hnsw", factory=f"HNSW{_HNSW_LINKS}", ef_search=EF_SEARCH_STEPS[0])
    lists = max(1, min(2 ** round(math.log2(4 * math.sqrt(count))), count // _TRAINING_ROWS_PER_LIST))
    codes = next(embedding_dim // width for width in (4, 3, 2, 1) if embedding_dim % width == 0)
    return SearchPlan(
        kind="ivfpq",
        factory=f"IVF{lists},PQ{codes}x4fs",
        nprobe=min(NPROBE_STEPS[0], lists),
        candidate_factor=_IVF_RESCORED,
    )


def plan_steps(plan: SearchPlan) -> list[SearchPlan]:
    """The plan at each of its settings, fastest first; a flat plan has one."""
    if plan.kind == "hnsw":
        return [plan.model_copy(update={"ef_search": ef}) for ef in EF_SEARCH_STEPS]
    if plan.kind == "ivfpq":
        return [plan.model_copy(update={"nprobe": nprobe}) for nprobe in NPROBE_STEPS]
    return [plan]


def build_faiss_index(vectors: Vectors, plan: SearchPlan, threads: int) -> Any:
    """Train and fill the index over unit rows (G, E). Scores are inner products, which are cosines here."""
    assert plan.factory is not None, "a flat plan has no FAISS index"
    faiss.omp_set_num_threads(threads)
    index: Any = faiss.index_factory(vectors.shape[1], plan.factory, faiss.METRIC_INNER_PRODUCT)
    if plan.kind == "hnsw":
        index.hnsw.efConstruction = _HNSW_EF_CONSTRUCTION
    else:
        _train(index, vectors)
    for start in range(0, len(vectors), _ADD_BLOCK_ROWS):
        index.add(np.ascontiguousarray(vectors[start : start + _ADD_BLOCK_ROWS]))
    return index


def write_faiss_index(index: faiss.Index, path: Path) -> None:
    """Write the index and force it to the disk. Raises OSError."""
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:  # FAISS's word for a full disk
        raise OSError(str(error)) from error
    fsync_path(path)


def _train(index: Any, vectors: Vectors) -> None:
    # FAISS asks for 39 rows a centroid and warns on stderr about fewer; small galleries have fewer.
    index.cp.min_points_per_centroid = 1
    index.pq.cp.min_points_per_centroid = 1
    wanted = max(index.nlist * _TRAINING_ROWS_PER_LIST, 10_000)
    step = max(1, len(vectors) // wanted)
    index.train(np.ascontiguousarray(vectors[::step]))
