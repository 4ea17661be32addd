"""The estimate of `inkseek index estimate`: arithmetic on measured constants, nothing is read or written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from index_builder.sizing.constants import COSTS, MEASURED_CODES, MEASURED_DIM, MEASURED_PHOTOS, Costs
from index_builder.stores.plan import Needs, SearchPlan, auto_plans, code_dim, memory_per_photo

_GIB = 2**30
_FLOAT_BYTES = 4
_ROW_BYTES_IN_PROCESS = 40  # numbers of rows, places in segments and their inverse, in every process that serves
_MILVUS_ID_BYTES = 16
_USABLE_SHARE = 0.7  # of a machine's memory: the rest is for processes, adapters and what the system caches
_DISK_FACTOR = 2.0  # a rebuild is written beside what is served, and partitions lie there until they are merged
_LARGEST_LOCAL = 100_000_000


@dataclass(frozen=True)
class Machine:
    """One machine: CPUs and bytes of memory."""

    cpus: int = 16
    memory_bytes: int = 64 * _GIB


DEFAULT_MACHINE = Machine()


@dataclass(frozen=True)
class Estimate:
    """What `photos` photos take.

    `engine`: "local" where one machine holds the search, else "milvus". `disk_bytes` of a build beside the version that
    is served; `memory_bytes` of the search alone, over all `search_machines`. Hours are wall-clock on
    `build_machines`. `exact_ms`: of a search that scores every photo, on one thread. `limits`: what gives way first.
    """

    photos: int
    dim: int
    engine: Literal["local", "milvus"]
    kind: str
    vector_bytes: int
    index_bytes: int
    photo_row_bytes: int
    disk_bytes: int
    memory_bytes: int
    embedding_cpu_hours: float
    index_cpu_hours: float
    hours: float
    search_machines: int
    build_machines: int
    exact_ms: float
    limits: tuple[str, ...]


def estimate(
    photos: int,
    dim: int,
    bundle: str,
    machine: Machine = DEFAULT_MACHINE,
    *,
    within_hours: float = 24.0,
    embedding_cpu_s: float | None = None,
    costs: Costs = COSTS,
) -> Estimate:
    """What a gallery takes on machines of one kind, built `within_hours`.

    `embedding_cpu_s`: CPU seconds per photo, where they were measured on the photos at hand; None: the bundle's, or
    for one that is not known the default's.
    """
    usable = int(machine.memory_bytes * _USABLE_SHARE)
    plan = auto_plans(photos, dim, Needs(memory_bytes=usable))[0]
    own_rows = photos * _ROW_BYTES_IN_PROCESS
    memory = int(photos * memory_per_photo(plan, photos, dim)) + own_rows
    is_local = memory <= usable and photos <= _LARGEST_LOCAL
    if not is_local:  # Milvus keeps codes of 8 bits in lists, over all machines
        memory = photos * (dim + _MILVUS_ID_BYTES)
    index_bytes = 0 if plan.is_exact and is_local else memory - (own_rows if is_local else 0)
    vectors, rows = photos * dim * _FLOAT_BYTES, photos * costs.photo_row_bytes
    of_bundle = costs.embedding_cpu_s.get(bundle, costs.embedding_cpu_s["default"])
    embedding_s = photos * (embedding_cpu_s or of_bundle)
    index_s = photos * _index_cpu_s(plan, photos, dim, costs)
    builders = max(1, math.ceil((embedding_s + index_s) / (machine.cpus * within_hours * 3600)))
    return Estimate(
        photos=photos,
        dim=dim,
        engine="local" if is_local else "milvus",
        kind=plan.kind if is_local else "IVF_SQ8",
        vector_bytes=vectors,
        index_bytes=index_bytes,
        photo_row_bytes=rows,
        disk_bytes=int(_DISK_FACTOR * (vectors + index_bytes + rows)),
        memory_bytes=memory,
        embedding_cpu_hours=embedding_s / 3600,
        index_cpu_hours=index_s / 3600,
        hours=(embedding_s + index_s) / (builders * machine.cpus * 3600),
        search_machines=1 if is_local else math.ceil(memory / usable),
        build_machines=builders,
        exact_ms=photos * costs.scan_cpu_s * dim / MEASURED_DIM * 1000,
        limits=tuple(_limits(photos, vectors, usable, builders, is_local=is_local)),
    )


def _index_cpu_s(plan: SearchPlan, photos: int, dim: int, costs: Costs) -> float:
    """CPU seconds per row: proportional to what is compared of it; a graph's also to the logarithm of the rows."""
    if plan.is_exact:
        return 0.0
    per_row = {"hnsw": costs.graph_cpu_s, "sq8": costs.codes_graph_cpu_s}.get(plan.kind)
    if per_row is None:
        return costs.lists_cpu_s * dim / MEASURED_DIM
    measured = MEASURED_CODES if plan.kind == "sq8" else MEASURED_DIM
    return per_row * code_dim(plan, dim) / measured * math.log(max(photos, 2)) / math.log(MEASURED_PHOTOS)


def _limits(photos: int, vectors: int, usable: int, builders: int, *, is_local: bool) -> list[str]:
    limits = []
    if is_local and vectors > usable:
        limits.append(
            "vectors do not fit into memory beside the index: each search re-scores rows from the disk, so it needs a "
            "local NVMe disk, and the first searches after a start are slow"
        )
    if not is_local:
        limits.append("one machine ends here: embed with Ray, search in Milvus (docs/howto/cluster.md)")
    if builders > 1:
        limits.append(f"embedding on one machine misses the time: {builders} machines")
    if photos > 5_000_000:
        limits.append("a filter that leaves millions of photos scores each of them, and so does exact=true")
    return limits
