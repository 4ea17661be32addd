"""A gallery's vectors in a Milvus, as a builder writes them, for the tests of stores and collections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from index_builder.stores.exact import ExactStore
from index_builder.stores.milvus.collections import MilvusCollections
from index_builder.stores.milvus.server import MilvusServer
from index_builder.stores.milvus.store import Collection, MilvusStore
from index_builder.stores.milvus.vector_cache import VectorCache
from index_builder.stores.plan import DEFAULT_SETTINGS, KindChoice, milvus_plan
from index_builder.stores.row_map import RowMap
from models.arrays import Vectors

ALIAS = "inkseek_test"


@contextmanager
def collections_in(server: MilvusServer) -> Iterator[MilvusCollections]:
    """The test gallery's collections, over a connection of their own."""
    collections = MilvusCollections(server, ALIAS)
    try:
        yield collections
    finally:
        collections.close()


@dataclass
class MilvusGallery:
    """Unit rows dealt out to segments, among deleted rows that are as near to every query, and written to Milvus."""

    server: MilvusServer
    vectors: Vectors
    kind: KindChoice
    segments: int = 1
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        dealt = np.random.default_rng(5).integers(0, self.segments, len(self.vectors))
        dealt[: self.segments] = np.arange(self.segments)[: len(self.vectors)]
        numbers = sorted(set(dealt.tolist()))
        self.names = tuple(f"{number:06x}aaaaaaaaaa" for number in numbers)
        self._held, places = [], np.empty((len(self.vectors), 2), np.int32)
        for position, number in enumerate(numbers):
            rows = np.flatnonzero(dealt == number)
            # Every third row is a copy of the one before it, and deleted; a gallery of one segment has none.
            held = np.repeat(rows, np.where(np.arange(len(rows)) % 2 == 1, 2, 1)) if self.segments > 1 else rows
            places[rows] = np.column_stack([np.full(len(rows), position), np.flatnonzero(np.diff(held, prepend=-1))])
            self._held.append(self.vectors[held])
        self.row_map = RowMap(places, [len(held) for held in self._held])
        self.plan = milvus_plan(len(self.vectors), self.kind)
        self.counts = {name: len(held) for name, held in zip(self.names, self._held, strict=True)}

    def write(self, name: str) -> Collection:
        """The segments as partitions of a new collection of that name."""
        with collections_in(self.server) as collections:
            collections.create(name, self.vectors.shape[1])
            for segment, held in zip(self.names, self._held, strict=True):
                collections.upsert(name, segment, ExactStore(held))
            collections.finish(name, self.plan, DEFAULT_SETTINGS, self.counts)
        return Collection(name, self.names, self.row_map, self.vectors.shape[1])

    def open(self, *, fetched_rows: int | None = None, most_terms: int = 10_000) -> MilvusStore:
        """Written and opened, as a builder and a service do; with `fetched_rows`, in calls of so many."""
        with collections_in(self.server) as collections:
            name = collections.new_name()
        collection = self.write(name)
        if fetched_rows is None:
            return MilvusStore.open(self.server, collection, self.plan)
        # What is fetched is larger than what is kept.
        return MilvusStore(
            self.server,
            self.server.connect(),
            collection,
            self.plan,
            fetched_rows=fetched_rows,
            most_terms=most_terms,
            cache=VectorCache(max_bytes=2_000),
        )
