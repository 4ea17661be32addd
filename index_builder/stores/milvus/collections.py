"""Collections of one gallery in Milvus: written by builders, named by versions, and pointed to by the gallery's alias.

A build makes a collection; each segment is a partition of it. An update adds the partitions of its new segments to the
published version's collection, so that it costs what is new; versions search the partitions of their own segments.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Set
from typing import Any

import numpy as np

from index_builder.stores.base import VectorStore
from index_builder.stores.errors import StoreUnavailable
from index_builder.stores.milvus.keys import base_key, partition_name
from index_builder.stores.milvus.server import MilvusServer
from index_builder.stores.plan import SearchPlan, StoreSettings, list_count

_BATCH_BYTES = 8 * 2**20  # of vectors in one call; a message may hold 64 MB
_ADMIN_S = 600.0  # for calls that write, index or load, which wait for what is done in the background
_INDEX_POLL_S = 0.05
_MOST_LISTS = 65_536  # Milvus allows no more
_PARTITION_PREFIX = partition_name("")


class MilvusCollections:
    """The collections whose names begin with `alias`, and the alias. For one writer at a time; every call raises
    StoreUnavailable.
    """

    def __init__(self, server: MilvusServer, alias: str) -> None:
        """Connects. `alias`: what other clients of the Milvus find the published version's collection by."""
        self._server = server
        self._alias = alias
        self._client = server.connect()

    def new_name(self) -> str:
        """The name of a collection that does not exist yet."""
        return f"{self._alias}_{uuid.uuid4().hex[:12]}"

    def holds(self, name: str, segments: Mapping[str, int]) -> bool:
        """Whether the collection has every vector of the segments (name -> rows)."""
        with self._server.errors(f"look up {name}"):
            if not self._client.has_collection(name, timeout=_ADMIN_S):
                return False
            partitions = set(self._client.list_partitions(name, timeout=_ADMIN_S))
            self._client.load_collection(name, timeout=_ADMIN_S)
            return all(
                partition_name(segment) in partitions and self._count(name, segment) == rows
                for segment, rows in segments.items()
            )

    def clashes(self, name: str, segment: str) -> bool:
        """Whether another segment of the collection has the keys that this one would have."""
        return any(base_key(other) == base_key(segment) and other != segment for other in self._segments(name))

    def create(self, name: str, dim: int) -> None:
        """A new collection for vectors of length `dim`."""
        from pymilvus import DataType

        with self._server.errors(f"create {name}"):
            schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("key", DataType.INT64, is_primary=True)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
            self._client.create_collection(name, schema=schema, timeout=_ADMIN_S, consistency_level="Bounded")

    def upsert(self, name: str, segment: str, vectors: VectorStore) -> None:
        """Write a segment's vectors into its partition; a call that is made again doubles nothing."""
        batch = max(1, _BATCH_BYTES // (4 * vectors.dim))
        with self._server.errors(f"write {name}"):
            if not self._client.has_partition(name, partition_name(segment), timeout=_ADMIN_S):
                self._client.create_partition(name, partition_name(segment), timeout=_ADMIN_S)
            for start in range(0, vectors.count, batch):
                rows = np.arange(start, min(start + batch, vectors.count))
                entities = [
                    {"key": base_key(segment) + row, "vector": vector}
                    for row, vector in zip(rows.tolist(), vectors.vectors_of(rows), strict=True)
                ]
                self._client.upsert(name, entities, partition_name=partition_name(segment), timeout=_ADMIN_S)

    def finish(self, name: str, plan: SearchPlan, settings: StoreSettings, segments: Mapping[str, int]) -> None:
        """Force what was written to Milvus's storage, index it, and load it; then count it.

        Raises StoreUnavailable also where Milvus holds other numbers of vectors than were written.
        """
        with self._server.errors(f"index {name}"):
            # After the data and the flush: milvus-lite scans whatever came after an index was created.
            self._client.flush(name, timeout=_ADMIN_S)
            if not self._client.list_indexes(name):
                wanted = self._client.prepare_index_params()
                parameters = _build_parameters(plan, settings, sum(segments.values()))
                wanted.add_index("vector", index_type=plan.factory, metric_type="IP", params=parameters)
                # The client's own way to wait fails in milvus-lite, and looks once in half a second.
                self._client.create_index(name, wanted, timeout=_ADMIN_S, sync=False)
            self._wait_for_index(name)
            self._client.load_collection(name, timeout=_ADMIN_S)
        if not self.holds(name, segments):
            raise StoreUnavailable(f"{name} does not hold the vectors that were written to it")

    def point(self, name: str) -> None:
        """Make the alias name this collection; other clients see the old one or the new one."""
        with self._server.errors(f"point {self._alias} to {name}"):
            if self.pointed() is None:
                self._client.create_alias(name, self._alias, timeout=_ADMIN_S)
            else:
                self._client.alter_alias(name, self._alias, timeout=_ADMIN_S)

    def pointed(self) -> str | None:
        """The collection that the alias names."""
        return next((name for name in self._names() if self._alias in self._aliases(name)), None)

    def keep(self, used: Mapping[str, Set[str]]) -> list[str]:
        """Delete whatever no version uses. `used`: collection -> segments. Returns the names of deleted collections."""
        deleted = []
        for name in self._names():
            if name not in used:
                self._drop(name)
                deleted.append(name)
                continue
            for segment in self._segments(name) - used[name]:
                self.delete(name, segment)
        return deleted

    def delete(self, name: str, segment: str) -> None:
        """Delete a segment's vectors."""
        with self._server.errors(f"delete a segment of {name}"):
            if not self._server.is_local:  # milvus-lite has no partitions that are loaded alone
                self._client.release_partitions(name, [partition_name(segment)], timeout=_ADMIN_S)
            self._client.drop_partition(name, partition_name(segment), timeout=_ADMIN_S)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _drop(self, name: str) -> None:
        with self._server.errors(f"delete {name}"):
            for alias in self._aliases(name):
                self._client.drop_alias(alias, timeout=_ADMIN_S)
            self._client.drop_collection(name, timeout=_ADMIN_S)

    def _names(self) -> list[str]:
        with self._server.errors("list collections"):
            names = self._client.list_collections(timeout=_ADMIN_S)
        return sorted(name for name in names if name.startswith(f"{self._alias}_"))

    def _aliases(self, name: str) -> list[str]:
        with self._server.errors(f"list the aliases of {name}"):
            return list(self._client.list_aliases(name, timeout=_ADMIN_S)["aliases"])

    def _segments(self, name: str) -> set[str]:
        with self._server.errors(f"list the partitions of {name}"):
            partitions = self._client.list_partitions(name, timeout=_ADMIN_S)
        return {part.removeprefix(_PARTITION_PREFIX) for part in partitions if part.startswith(_PARTITION_PREFIX)}

    def _count(self, name: str, segment: str) -> int:
        first, behind = base_key(segment), base_key(segment) + (base_key("000001"))
        (counted,) = self._client.query(
            name,
            filter=f"key >= {first} and key < {behind}",
            output_fields=["count(*)"],
            timeout=_ADMIN_S,
            consistency_level="Strong",
        )
        return int(counted["count(*)"])

    def _wait_for_index(self, name: str) -> None:
        """Until every vector is indexed; later ones would be scanned, which is right and slow."""
        ends_at = time.monotonic() + _ADMIN_S
        while time.monotonic() < ends_at:
            index = self._client.describe_index(name, "vector", timeout=_ADMIN_S)
            if index.get("state") == "Failed":
                raise StoreUnavailable(f"Milvus cannot index {name}: {index.get('index_state_fail_reason', '')}")
            if index.get("state") == "Finished" and not int(index.get("pending_index_rows", 0)):
                return
            time.sleep(_INDEX_POLL_S)


def _build_parameters(plan: SearchPlan, settings: StoreSettings, count: int) -> dict[str, Any]:
    if plan.factory == "HNSW":
        return {"M": settings.hnsw_links, "efConstruction": settings.hnsw_ef_construction}
    if plan.factory == "IVF_SQ8":
        return {"nlist": min(_MOST_LISTS, list_count(count))}
    return {}
