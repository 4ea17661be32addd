"""Which store a gallery of a given size gets, and the settings at which it is searched."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

IndexKind = Literal["flat", "hnsw", "sq8", "ivfpq", "milvus"]
KindChoice: TypeAlias = Literal["auto", "flat", "hnsw", "sq8", "ivfpq"]

TRAINING_ROWS_PER_LIST = 40
_MIN_GRAPH_LISTS = 1_024
_FLOAT_BYTES, _ID_BYTES = 4, 8
_CODE_STEP = 16
_COMPARED_SHARE = 4  # one number in so many of a vector is compared where it is long
_LEAST_COMPARED = 128
MIN_IVFPQ_ROWS = 16  # FAISS cannot train the 16 centroids of a 4-bit code on fewer


class SearchPlan(BaseModel):
    """How a query finds its candidates. Candidates are always re-scored exactly; `flat` scores every photo.

    `ef_search` (hnsw, and sq8, a graph over codes of 8 bits a number) and `nprobe` (ivfpq, inverted lists of product
    codes of 4 bits) trade speed for recall; `candidate_factor` x k candidates are re-scored. `factory`: FAISS's name
    of the index, behind "SVD<n>," where n numbers of a vector are compared (`code_dim`); of `milvus` the type of its
    index: HNSW, IVF_SQ8 or FLAT.
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

    `ef_search` and `nprobe` are tried from the fastest on, until the required recall is reached; `ivf_wide` are pairs
    of nprobe and candidate factor that follow where more lists alone do not help. Its last one searches all lists of
    a million photos and re-scores 10,000 rows for ten answers, which loses next to nothing, at the price of time.
    """

    # Up to here the exact answer costs at most a sixth of encoding the sketch (14 ms). benchmarks/index_choice.py, 800
    # numbers, one thread: flat 1.0 ms for 10,000 photos, 5.4 ms for 50,000; HNSW 0.15 and 0.38 ms at recall@10 0.99.
    flat_max_photos: int = 20_000
    # Beyond, a graph over full vectors costs too much memory and time to build; 4-bit codes are re-scored exactly.
    hnsw_max_photos: int = 2_000_000
    hnsw_links: int = 32
    hnsw_ef_construction: int = 200
    ef_search: tuple[int, ...] = (32, 64, 96, 128, 192, 256, 320, 384, 512, 768, 1024)
    nprobe: tuple[int, ...] = (8, 16, 32, 64, 128)
    ivf_wide: tuple[tuple[int, int], ...] = (
        (128, 50), (256, 50), (256, 100), (512, 100), (512, 200), (1024, 400), (4096, 1000)
    )  # fmt: skip
    ivf_candidate_factor: int = 20  # 4-bit codes alone lose the fine order of the top 10
    sq8_candidate_factor: int = 4  # codes of 8 bits lose less


DEFAULT_SETTINGS = StoreSettings()


@dataclass(frozen=True)
class Needs:
    """What a search is required to reach: recall@10, and the memory in bytes that it may take (None: any)."""

    recall: float = 0.98
    memory_bytes: int | None = None


DEFAULT_NEEDS = Needs()


def auto_plans(
    count: int, dim: int, needs: Needs = DEFAULT_NEEDS, settings: StoreSettings = DEFAULT_SETTINGS
) -> tuple[SearchPlan, ...]:
    """The plans for `count` vectors that fit the memory, the preferred one first; at least one.

    A later one is for the case that those before it miss the recall on sketches. A recall of 1 is an exact search's
    alone. Where nothing fits, what takes the least memory is tried.
    """
    # benchmarks/index_table, 35,000 photos at recall@10 0.986 on sketches: 0.26 ms with codes and 0.39 ms without.
    kinds: list[KindChoice] = ["sq8", "hnsw"] if count <= settings.hnsw_max_photos else []
    kinds = ["flat"] if needs.recall >= 1.0 else [*kinds, "ivfpq"]
    if count <= settings.flat_max_photos:
        kinds = ["flat", *(kind for kind in kinds if kind != "flat")]
    plans = [choose_plan(count, dim, kind, settings) for kind in kinds]
    most = math.inf if needs.memory_bytes is None else needs.memory_bytes
    sizes = [count * memory_per_photo(plan, count, dim) for plan in plans]
    fitting = [plan for plan, size in zip(plans, sizes, strict=True) if size <= most]
    return tuple(fitting) or (plans[sizes.index(min(sizes))],)


def choose_plan(
    count: int, dim: int, kind: KindChoice = "auto", settings: StoreSettings = DEFAULT_SETTINGS
) -> SearchPlan:
    """The plan for `count` vectors of length `dim`, at its fastest setting; `index_builder.quality` tunes it."""
    if kind == "auto":
        return auto_plans(count, dim, settings=settings)[0]
    if kind == "flat" or (kind == "ivfpq" and count < MIN_IVFPQ_ROWS):
        return SearchPlan(kind="flat")
    if kind == "hnsw":
        return SearchPlan(kind="hnsw", factory=f"HNSW{settings.hnsw_links}", ef_search=settings.ef_search[0])
    if kind == "sq8":
        return SearchPlan(
            kind="sq8",
            factory=f"{_reduction(dim)}HNSW{settings.hnsw_links}_SQ8",
            ef_search=settings.ef_search[0],
            candidate_factor=settings.sq8_candidate_factor,
        )
    lists = list_count(count)
    # Comparing a sketch with thousands of centroids costs more than the lists that are then searched.
    coarse = f"_HNSW{settings.hnsw_links}" if lists >= _MIN_GRAPH_LISTS else ""
    # Four dimensions per 4-bit code: 100 bytes for 800 numbers; fewer where the length is not divisible.
    codes = next(dim // width for width in (4, 3, 2, 1) if dim % width == 0)
    return SearchPlan(
        kind="ivfpq",
        factory=f"IVF{lists}{coarse},PQ{codes}x4fs",
        nprobe=min(settings.nprobe[0], lists),
        candidate_factor=settings.ivf_candidate_factor,
    )


def code_dim(plan: SearchPlan, dim: int) -> int:
    """Numbers per vector that the plan's FAISS index compares, of vectors of length `dim`.

    A graph over codes compares a vector's coordinates on the axes that hold most of the gallery (`stores.faiss.axes`):
    a quarter of its numbers, for a fourth of the memory to read. FAISS compares 16 codes of 8 bits at once where the
    length is a multiple of that, and else 8 or one by one, which takes nine times as long.
    """
    if reduced := re.match(r"SVD(\d+),", plan.factory or ""):
        return int(reduced[1])
    return _stepped(dim) if plan.kind == "sq8" else dim


def _reduction(dim: int) -> str:
    compared = _stepped(max(_LEAST_COMPARED, dim // _COMPARED_SHARE))
    return f"SVD{compared}," if compared < dim else ""


def _stepped(dim: int) -> int:
    return -(-dim // _CODE_STEP) * _CODE_STEP


def list_count(count: int) -> int:
    """4 sqrt(G) lists, as FAISS recommends, but no more than the gallery has training rows for."""
    power = round(math.log2(4 * math.sqrt(count)))
    return max(1, min(1 << power, count // TRAINING_ROWS_PER_LIST))


def milvus_plan(
    count: int, kind: KindChoice = "auto", needs: Needs = DEFAULT_NEEDS, settings: StoreSettings = DEFAULT_SETTINGS
) -> SearchPlan:
    """How `count` vectors in Milvus are searched, at the fastest setting; "sq8" and "ivfpq" are both its IVF_SQ8."""
    if kind == "auto":
        kind = "flat" if needs.recall >= 1.0 else "hnsw" if count <= settings.hnsw_max_photos else "sq8"
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
        wide = settings.ivf_wide if plan.kind == "ivfpq" else ()
        pairs = [*((nprobe, plan.candidate_factor) for nprobe in settings.nprobe), *wide]
        lists = re.match(r"IVF(\d+)", plan.factory or "") if plan.kind == "ivfpq" else None
        # No more lists than there are, so that of a small gallery no two settings are the same.
        most = math.inf if lists is None else int(lists[1])
        distinct = dict.fromkeys((int(min(nprobe, most)), factor) for nprobe, factor in pairs)
        return [plan.model_copy(update={"nprobe": nprobe, "candidate_factor": factor}) for nprobe, factor in distinct]
    return [plan]


def memory_per_photo(plan: SearchPlan, count: int, dim: int) -> float:
    """Bytes per photo that a search keeps coming back to, and that memory should hold: the index without its vectors.

    Of an exact plan the vectors themselves. Rows that are only re-scored are read from the disk's cache. FAISS's own
    layout: a graph has 2 x M links of 4 bytes on its lowest level and 16 bytes of levels and offsets; a list has 8
    bytes of id per row and a centroid.
    """
    factory = re.fullmatch(
        r"(?:IVF(\d+)(?:_HNSW(\d+))?,PQ(\d+)x4fs)|(?:(?:SVD\d+,)?HNSW(\d+)(_SQ8)?)", plan.factory or ""
    )
    if factory is None:
        return _FLOAT_BYTES * dim
    lists, coarse_links, codes, links, is_sq8 = factory.groups()
    if links:
        return (code_dim(plan, dim) if is_sq8 else _FLOAT_BYTES * dim) + _graph_bytes(int(links))
    centroid = _FLOAT_BYTES * dim + (_graph_bytes(int(coarse_links)) if coarse_links else 0)
    return int(codes) / 2 + _ID_BYTES + int(lists) * centroid / count


def _graph_bytes(links: int) -> int:
    return 2 * links * 4 + 16
