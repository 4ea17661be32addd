"""Collections of a gallery: written again without harm, shared by versions, pointed to by an alias, and deleted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index_builder.stores.errors import StoreUnavailable
from index_builder.stores.exact import ExactStore
from index_builder.stores.milvus.collections import MilvusCollections
from index_builder.stores.milvus.server import MilvusServer
from index_builder.stores.milvus.store import Collection, MilvusStore
from index_builder.stores.plan import DEFAULT_SETTINGS, milvus_plan
from index_builder.stores.ranking import top_k
from index_builder.stores.row_map import RowMap
from models.arrays import Vectors
from tests.unit.index_builder.milvus_gallery import ALIAS, collections_in

DIM = 8
OLD, NEW = "00000a0123456789", "00000b0123456789"
PLAN = milvus_plan(100, "hnsw")


@pytest.fixture
def server(tmp_path: Path) -> MilvusServer:
    return MilvusServer(str(tmp_path / "milvus.db"), timeout_s=60.0)


def unit_rows(count: int, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    rows: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


def written(collections: MilvusCollections, segments: dict[str, Vectors], name: str | None = None) -> str:
    """The segments in the collection of that name, or in a new one."""
    if name is None:
        name = collections.new_name()
        collections.create(name, DIM)
    for segment, vectors in segments.items():
        collections.upsert(name, segment, ExactStore(vectors))
    collections.finish(name, PLAN, DEFAULT_SETTINGS, {segment: len(vectors) for segment, vectors in segments.items()})
    return name


def one_segment(server: MilvusServer, name: str, segment: str, count: int) -> MilvusStore:
    places = np.column_stack([np.zeros(count), np.arange(count)]).astype(np.int32)
    return MilvusStore.open(server, Collection(name, (segment,), RowMap(places, [count]), DIM), PLAN)


def nearest(store: MilvusStore, query: Vectors, k: int = 3) -> list[int]:
    (rows,) = store.candidates(query[None], k)
    _, best = top_k(store.products(query[None], rows)[0], k, rows)
    return [int(row) for row in best]


def test_a_write_that_is_made_again_doubles_nothing(server: MilvusServer) -> None:
    vectors = unit_rows(30)
    with collections_in(server) as collections:
        name = written(collections, {OLD: vectors})
        collections.upsert(name, OLD, ExactStore(vectors))
        assert collections.holds(name, {OLD: 30})
        assert not collections.holds(name, {OLD: 31})
    store = one_segment(server, name, OLD, 30)
    assert nearest(store, vectors[4])[0] == 4
    store.close()


def test_an_update_adds_a_partition_and_the_version_before_finds_what_it_did(server: MilvusServer) -> None:
    old, new = unit_rows(40), unit_rows(20, seed=1)
    with collections_in(server) as collections:
        name = written(collections, {OLD: old})
        before = one_segment(server, name, OLD, 40)
        truth = [nearest(before, query) for query in new]
        written(collections, {NEW: new}, name)
        assert collections.holds(name, {OLD: 40, NEW: 20})
    assert [nearest(before, query) for query in new] == truth
    after = one_segment(server, name, NEW, 20)
    assert [nearest(after, query)[0] for query in new] == list(range(20))
    before.close()
    after.close()


def test_a_collection_that_holds_less_than_was_written_is_not_finished(server: MilvusServer) -> None:
    with collections_in(server) as collections:
        name = collections.new_name()
        collections.create(name, DIM)
        collections.upsert(name, OLD, ExactStore(unit_rows(10)))
        with pytest.raises(StoreUnavailable, match="does not hold the vectors"):
            collections.finish(name, PLAN, DEFAULT_SETTINGS, {OLD: 11})
        assert not collections.holds(name, {NEW: 1})
        assert not collections.holds(f"{ALIAS}_absent", {})


def test_the_alias_is_swapped_and_swapped_back(server: MilvusServer) -> None:
    with collections_in(server) as collections:
        assert collections.pointed() is None
        first, second = (written(collections, {OLD: unit_rows(5, seed)}) for seed in (0, 1))
        for name in (first, second, first):
            collections.point(name)
            assert collections.pointed() == name
    client = server.connect()
    assert client.describe_alias(ALIAS)["collection_name"] == first  # what another client finds
    client.close()


def test_what_no_version_uses_is_deleted_and_other_galleries_stay(server: MilvusServer) -> None:
    client = server.connect()
    with collections_in(server) as collections:
        gone, kept = written(collections, {OLD: unit_rows(5)}), written(collections, {OLD: unit_rows(6)})
        written(collections, {NEW: unit_rows(7)}, kept)
        collections.point(gone)
        other = MilvusCollections(server, "inkseek_other")
        others = written(other, {OLD: unit_rows(4)})
        assert collections.keep({kept: {NEW}}) == [gone]
        assert sorted(client.list_collections()) == sorted([kept, others])
        assert collections.holds(kept, {NEW: 7})
        assert not collections.holds(kept, {OLD: 6})
        assert collections.keep({kept: {NEW}}) == []
        other.close()
    client.close()


def test_segments_whose_keys_would_be_equal_are_told_apart(server: MilvusServer) -> None:
    with collections_in(server) as collections:
        name = written(collections, {OLD: unit_rows(5)})
        assert collections.clashes(name, OLD[:6] + "ffffffffff")
        assert not collections.clashes(name, OLD)
        assert not collections.clashes(name, NEW)
