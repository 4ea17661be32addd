"""The store in Milvus: it proposes candidates, whose vectors are fetched and scored here, as those of any other store.

So a worker holds no vectors but those that it fetched last, and a score is the same to the bit wherever vectors lie.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from index_builder.stores.errors import StoreUnavailable
from index_builder.stores.milvus.keys import SegmentKeys, expression, partition_name
from index_builder.stores.milvus.server import MilvusServer
from index_builder.stores.milvus.vector_cache import VectorCache
from index_builder.stores.plan import SearchPlan
from index_builder.stores.products import inner_products
from index_builder.stores.row_map import RowMap
from models.arrays import Rows, Vectors

FETCHED_ROWS = 2_048
"""Vectors of one call: 6.5 MB of 800 numbers, far below what a message may hold."""
LOAD_S = 600.0  # what Milvus reads from its storage, where it did not have the collection in memory
_MOST_RESULTS = 16_384  # Milvus answers no more to one query
_MOST_TERMS = 10_000  # of an expression: some 200 KB of text, which Milvus parses in milliseconds


@dataclass(frozen=True)
class Collection:
    """G rows of a gallery in a collection. `segments`: those of the version, in the order of `row_map`."""

    name: str
    segments: tuple[str, ...]
    row_map: RowMap
    dim: int

    @property
    def stored(self) -> int:
        """Vectors in the segments' partitions, those of deleted rows included."""
        return sum(self.row_map.size(number) for number in range(len(self.segments)))


class MilvusStore:
    """A `VectorStore` whose vectors lie in partitions of a Milvus collection. Thread-safe."""

    def __init__(
        self,
        server: MilvusServer,
        client: Any,
        collection: Collection,
        plan: SearchPlan,
        *,
        fetched_rows: int = FETCHED_ROWS,
        most_terms: int = _MOST_TERMS,
        cache: VectorCache | None = None,
    ) -> None:
        """`client`: as `server.connect` returns it; `close` closes it. `collection` is loaded.

        `fetched_rows`: vectors of one call, and rows up to which a filtered search scores all. `most_terms`: of the
        filter that travels with a search.
        """
        self._server = server
        self._client = client
        self.collection = collection
        self._plan = plan
        self._keys = SegmentKeys(collection.segments, collection.row_map)
        self._partitions = [partition_name(name) for name in collection.segments]
        self._fetched_rows = fetched_rows
        self._most_terms = most_terms
        self._cache = cache or VectorCache()

    @classmethod
    def open(cls, server: MilvusServer, collection: Collection, plan: SearchPlan) -> MilvusStore:
        """Connect, and have the collection loaded. Raises StoreUnavailable, also where it lacks a segment."""
        client = server.connect()
        try:
            _load(server, client, collection)
        except BaseException:
            client.close()
            raise
        return cls(server, client, collection, plan)

    def at(self, plan: SearchPlan) -> MilvusStore:
        """The same collection, searched by another setting of its plan; closing either closes both."""
        return MilvusStore(
            self._server,
            self._client,
            self.collection,
            plan,
            fetched_rows=self._fetched_rows,
            most_terms=self._most_terms,
            cache=self._cache,
        )

    @property
    def count(self) -> int:
        """Vectors that can be found (G)."""
        return self.collection.row_map.count

    @property
    def dim(self) -> int:
        """Length of a vector (E)."""
        return self.collection.dim

    def candidates(
        self, queries: Vectors, k: int, *, within: Rows | None = None, exact: bool = False
    ) -> Sequence[Rows]:
        """(Q, E) -> for each query ascending rows; raises StoreUnavailable.

        An exact search reads every vector in question, block by block. `within` is Milvus's filter, unless it is so
        short that all of it is scored, or too scattered: then more rows are requested and what does not match leaves.
        """
        if within is not None and len(within) <= self._fetched_rows:
            return [within] * len(queries)
        if exact:
            return [self._best_of(query, k, within) for query in queries]
        return [self._nearest(query, k, within) for query in queries]

    def vectors_of(self, rows: Rows) -> Vectors:
        """(R,) ascending -> (R, E), read-only. Raises StoreUnavailable."""
        return self._cache.get(rows, self._fetched)

    def products(self, queries: Vectors, rows: Rows | None = None) -> Vectors:
        """(Q, E), (R,) ascending -> (Q, R) inner products; `rows` None: of all G rows. Raises StoreUnavailable."""
        rows = np.arange(self.count, dtype=np.int64) if rows is None else rows
        products = np.empty((len(queries), len(rows)), np.float32)
        # More than is kept is not held at once, either.
        is_kept = 4 * self.dim * len(rows) <= self._cache.max_bytes
        blocks = ((slice(None), self.vectors_of(rows)),) if is_kept else self._blocks(rows)
        for place, vectors in blocks:
            for position, query in enumerate(queries):
                products[position, place] = inner_products(vectors, query)
        return products

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _nearest(self, query: Vectors, k: int, within: Rows | None) -> Rows:
        enough = min(k, self.count if within is None else len(within))
        pushed = None if within is None else expression(self._keys.of_rows(within), self._most_terms)
        # Rows that the version has deleted, and those that a filter too long to travel leaves out, take their share.
        matching = self.count if within is None or pushed is not None else len(within)
        share = matching / self.collection.stored
        requested = math.ceil(k * self._plan.candidate_factor / share)
        most = min(_MOST_RESULTS, self.collection.stored)
        for limit in (requested, 4 * requested):
            rows = self._searched(query, min(limit, most), pushed)
            if within is not None and pushed is None:
                rows = np.intersect1d(rows, within, assume_unique=True)
            if len(rows) >= enough:
                return rows
        return self._best_of(query, k, within)

    def _searched(self, query: Vectors, limit: int, filtered_by: str | None) -> Rows:
        """Ascending rows; the vectors of few come with them and are kept, since they are scored next."""
        with_vectors = limit <= self._fetched_rows
        with self._server.errors(f"search {self.collection.name}"):
            (hits,) = self._client.search(
                self.collection.name,
                [np.ascontiguousarray(query, np.float32)],
                filter=filtered_by or "",
                limit=limit,
                output_fields=["key", "vector"] if with_vectors else ["key"],
                search_params={"metric_type": "IP", "params": self._parameters(limit)},
                partition_names=self._partitions,
                timeout=self._server.timeout_s,
                # What a version names never changes, so there is nothing to wait for.
                consistency_level="Eventually",
            )
        entities = {hit["entity"]["key"]: hit["entity"] for hit in hits}
        rows = self._keys.rows_of(np.array(list(entities), np.int64))
        if with_vectors and len(rows):
            stored = [entities[key]["vector"] for key in self._keys.of_rows(rows).tolist()]
            self._cache.keep(rows, np.array(stored, np.float32))
        return rows

    def _parameters(self, limit: int) -> dict[str, int]:
        if self._plan.nprobe is not None:
            return {"nprobe": self._plan.nprobe}
        return {} if self._plan.ef_search is None else {"ef": max(self._plan.ef_search, limit)}

    def _best_of(self, query: Vectors, k: int, within: Rows | None) -> Rows:
        """Ascending rows: the k best by exact score, and whatever ties with the last of them."""
        among = np.arange(self.count, dtype=np.int64) if within is None else within
        scores, rows = np.empty(0, np.float32), np.empty(0, np.int64)
        for place, vectors in self._blocks(among):
            scores = np.append(scores, inner_products(vectors, query))
            rows = np.append(rows, among[place])
            if len(scores) > k:
                kept = scores >= np.partition(scores, len(scores) - k)[len(scores) - k]
                scores, rows = scores[kept], rows[kept]
        return rows

    def _blocks(self, rows: Rows) -> Iterator[tuple[slice, Vectors]]:
        for start in range(0, len(rows), self._fetched_rows):
            block = slice(start, start + self._fetched_rows)
            yield block, self._fetched(rows[block])

    def _fetched(self, rows: Rows) -> Vectors:
        vectors = np.empty((len(rows), self.dim), np.float32)
        keys = self._keys.of_rows(rows)
        for start in range(0, len(rows), self._fetched_rows):
            block = keys[start : start + self._fetched_rows]
            position_of = {key: start + position for position, key in enumerate(block.tolist())}
            found = self._stored(block)
            if len(found) != len(block):
                missing = len(block) - len(found)
                raise StoreUnavailable(f"{missing} of {len(block)} vectors are not in {self.collection.name}")
            for entity in found:
                vectors[position_of[entity["key"]]] = entity["vector"]
        vectors.flags.writeable = False
        return vectors

    def _stored(self, keys: Rows) -> Any:
        with self._server.errors(f"read vectors of {self.collection.name}"):
            return self._client.get(
                self.collection.name,
                keys.tolist(),
                output_fields=["key", "vector"],
                timeout=self._server.timeout_s,
                consistency_level="Eventually",
            )


def _load(server: MilvusServer, client: Any, collection: Collection) -> None:
    with server.errors(f"open {collection.name}"):
        if not client.has_collection(collection.name, timeout=server.timeout_s):
            raise StoreUnavailable(f"Milvus at {server.uri} has no collection {collection.name}")
        partitions = client.list_partitions(collection.name, timeout=server.timeout_s)
        client.load_collection(collection.name, timeout=LOAD_S)
    if missing := sorted({partition_name(name) for name in collection.segments} - set(partitions)):
        raise StoreUnavailable(f"collection {collection.name} lacks the partition {missing[0]}")
