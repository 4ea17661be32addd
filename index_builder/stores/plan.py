"""Which store a gallery of a given size gets, and the settings at which it is searched."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

IndexKind = Literal["flat", "hnsw", "ivfpq", "milvus"]
KindChoice: TypeAlias = Literal["auto", "flat", "hnsw", "ivfpq"]

TRAINING_ROWS_PER_LIST = 40
MIN_IVFPQ_ROWS = 16  # FAISS cannot train the 16 centroids of a 4-bit code on fewer


class SearchPlan(BaseModel):
    """How a query finds its candidates. Candidates are always re-scored exactly; `flat` scores every photo.

    `ef_search` (hnsw) and `nprobe` (ivfpq) trade speed for recall; `candidate_factor` x k candidates are re-scored.
    `milvus`: `factory` is the type of its index, one of these two or FLAT.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: IndexKind = "flat"
    factory: str | None = None
    ef_search: int | None = Field(default=None, ge=1)
    nprobe: int | None = Field(default=None, ge=1)
    # In the plan and not a constant: an index must be searched as it was measured, whatever later releases choose.
    candidate_factor: int = Field(default=1, ge=1)

    @property
    def is_exact(self) -> bool:
        """Whether every photo is scored, so that recall is 1 by construction."""
        return self.kind == "flat"


@dataclass(frozen=True)
class StoreSettings:
    """The bounds between the kinds of store, and how each kind is built and searched.

    `ef_search` and `nprobe` are tried from the fastest on, until the required recall is reached.
    """

    # Up to here the exact answer costs at most a sixth of encoding the sketch (14 ms). benchmarks/index_choice.py, 800
    # numbers, one thread: flat 1.0 ms for 10,000 photos, 5.4 ms for 50,000; HNSW 0.15 and 0.38 ms at recall@10 0.99.
    flat_max_photos: int = 20_000
    # Beyond, a graph over full vectors costs too much memory and time to build; 4-bit codes are re-scored exactly.
    hnsw_max_photos: int = 2_000_000
    hnsw_links: int = 32
    hnsw_ef_construction: int = 200
    ef_search: tuple[int, ...] = (32, 64, 128, 256, 512)
    nprobe: tuple[int, ...] = (8, 16, 32, 64, 128)
    ivf_candidate_factor: int = 20  # 4-bit codes alone lose the fine order of the top 10
    sq8_candidate_factor: int = 4  # codes of 8 bits lose less


DEFAULT_SETTINGS = StoreSettings()


def choose_plan(
    count: int, dim: int, kind: KindChoice = "auto", settings: StoreSettings = DEFAULT_SETTINGS
) -> SearchPlan:
    """The plan for `count` vectors of length `dim`, at its fastest setting; `index_builder.quality` tunes it."""
    if kind == "auto":
        small, medium = settings.flat_max_photos, settings.hnsw_max_photos
        kind = "flat" if count <= small else "hnsw" if count <= medium else "ivfpq"
    if kind == "flat" or (kind == "ivfpq" and count < MIN_IVFPQ_ROWS):
        return SearchPlan(kind="flat")
    if kind == "hnsw":
        return SearchPlan(kind="hnsw", factory=f"HNSW{settings.hnsw_links}", ef_search=settings.ef_search[0])
    lists = list_count(count)
    # Four dimensions per 4-bit code: 100 bytes for 800 numbers; fewer where the length is not divisible.
    codes = next(dim // width for width in (4, 3, 2, 1) if dim % width == 0)
    return SearchPlan(
        kind="ivfpq",
        factory=f"IVF{lists},PQ{codes}x4fs",
        nprobe=min(settings.nprobe[0], lists),
        candidate_factor=settings.ivf_candidate_factor,
    )


def list_count(count: int) -> int:
    """4 sqrt(G) lists, as FAISS recommends, but no more than the gallery has training rows for."""
    power = round(math.log2(4 * math.sqrt(count)))
    return max(1, min(1 << power, count // TRAINING_ROWS_PER_LIST))


def milvus_plan(count: int, kind: KindChoice = "auto", settings: StoreSettings = DEFAULT_SETTINGS) -> SearchPlan:
    """How `count` vectors in Milvus are searched, at the fastest setting. Its IVF keeps codes of 8 bits a number."""
    if kind == "auto":
        kind = "hnsw" if count <= settings.hnsw_max_photos else "ivfpq"
    if kind == "flat":
        return SearchPlan(kind="milvus", factory="FLAT")
    if kind == "hnsw":
        return SearchPlan(kind="milvus", factory="HNSW", ef_search=settings.ef_search[0])
    return SearchPlan(
        kind="milvus", factory="IVF_SQ8", nprobe=settings.nprobe[0], candidate_factor=settings.sq8_candidate_factor
    )


def plan_steps(plan: SearchPlan, settings: StoreSettings = DEFAULT_SETTINGS) -> list[SearchPlan]:
    """The plan at each of its settings, fastest first; an exact plan has one."""
    if plan.ef_search is not None:
        return [plan.model_copy(update={"ef_search": ef}) for ef in settings.ef_search]
    if plan.nprobe is not None:
        return [plan.model_copy(update={"nprobe": nprobe}) for nprobe in settings.nprobe]
    return [plan]
