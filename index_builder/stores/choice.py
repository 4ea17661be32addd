"""The one place that turns a search plan into a store: a further kind of store is added here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from index_builder.stores.base import VectorStore
from index_builder.stores.device.card_store import CardStore
from index_builder.stores.device.search_device import CPU, SearchDevice
from index_builder.stores.exact import ExactStore
from index_builder.stores.faiss import FaissStore, find_card
from index_builder.stores.milvus.collections import MilvusCollections
from index_builder.stores.milvus.server import MilvusServer, check_milvus_uri
from index_builder.stores.milvus.store import Collection, MilvusStore
from index_builder.stores.plan import DEFAULT_SETTINGS, SearchPlan, StoreSettings, plan_steps
from models.arrays import Rows
from models.bundle.errors import RuntimeUnavailable

__all__ = [
    "ANN_INDEX",
    "CPU",
    "VECTORS",
    "Collection",
    "MilvusCollections",
    "MilvusServer",
    "SearchDevice",
    "StoreVariant",
    "build_store",
    "check_milvus_uri",
    "collection_variants",
    "open_collection",
    "open_device",
    "open_store",
    "store_files",
]

VECTORS = "vectors.npy"
ANN_INDEX = "index.faiss"


@dataclass(frozen=True)
class StoreVariant:
    """A store as one setting of its plan searches it."""

    plan: SearchPlan
    store: VectorStore


def store_files(plan: SearchPlan) -> tuple[str, ...]:
    """Names of the files that a store of this plan consists of."""
    return (VECTORS,) if plan.is_exact else (VECTORS, ANN_INDEX)


def open_store(
    folder: Path, plan: SearchPlan, *, count: int, dim: int, live: Rows | None = None, device: SearchDevice = CPU
) -> VectorStore:
    """Open the store of `count` vectors of length `dim` whose files lie in `folder`. Raises StoreUnreadable.

    `live`: ascending rows, others of which an approximate store never proposes; None: all. `device`: where candidates
    are looked for.
    """
    exact = ExactStore.open(folder / VECTORS, count=count, dim=dim)
    store = exact if plan.is_exact else FaissStore.open(folder / ANN_INDEX, exact, plan, live)
    return CardStore.over(store, device, live)


def open_device(wanted: Literal["auto", "cpu", "cuda"], *, require_gpu: bool = False) -> SearchDevice:
    """Where vectors are searched: on a GPU where FAISS can use one. Raises RuntimeUnavailable where one is required."""
    if wanted == "cpu" and not require_gpu:
        return SearchDevice()
    device = SearchDevice.of(find_card)
    if device.problem and (require_gpu or wanted == "cuda"):
        device.close()
        raise RuntimeUnavailable(f"a GPU is required, but {device.problem}")
    return device


def build_store(
    folder: Path,
    plan: SearchPlan,
    *,
    count: int,
    dim: int,
    threads: int,
    settings: StoreSettings = DEFAULT_SETTINGS,
    device: SearchDevice = CPU,
) -> Sequence[StoreVariant]:
    """Write the files that the plan needs beyond `vectors.npy`; returns the store at each setting, fastest first.

    `device`: where centroids are computed. The stores search on the CPU, whose settings are what is tuned.

    Raises StoreUnreadable, OSError.
    """
    exact = ExactStore.open(folder / VECTORS, count=count, dim=dim)
    if plan.is_exact:
        return (StoreVariant(plan, exact),)
    built = FaissStore.build(exact, plan, threads=threads, settings=settings, device=device)
    # Written before it is measured: what is published is what was measured, whichever setting wins.
    built.write(folder / ANN_INDEX)
    return tuple(StoreVariant(step, built.at(step)) for step in plan_steps(plan, settings))


def open_collection(server: MilvusServer, collection: Collection, plan: SearchPlan) -> VectorStore:
    """The rows of a version in Milvus. Raises StoreUnavailable, also where the collection lacks a segment."""
    return MilvusStore.open(server, collection, plan)


def collection_variants(
    server: MilvusServer, collection: Collection, plan: SearchPlan, settings: StoreSettings = DEFAULT_SETTINGS
) -> Sequence[StoreVariant]:
    """The same at each setting of its plan, fastest first; closing one closes all. Raises StoreUnavailable."""
    store = MilvusStore.open(server, collection, plan)
    return tuple(StoreVariant(step, store.at(step)) for step in plan_steps(plan, settings))
