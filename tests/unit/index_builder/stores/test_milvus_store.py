"""What only a store in Milvus has: keys, filters that travel, what it keeps, and what its errors say."""

from __future__ import annotations

import socket

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_builder.stores.errors import MilvusUriInvalid, StoreUnavailable
from index_builder.stores.milvus.keys import SegmentKeys, base_key, expression
from index_builder.stores.milvus.server import MilvusServer
from index_builder.stores.milvus.store import Collection, MilvusStore
from index_builder.stores.milvus.vector_cache import VectorCache
from index_builder.stores.plan import SearchPlan
from index_builder.stores.row_map import RowMap
from models.arrays import Rows, Vectors
from tests.unit.index_builder.milvus_gallery import MilvusGallery

NAMES = ("00000a0123456789", "fffff00123456789")


def unit_rows(count: int, dim: int = 8, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    rows: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def two_segments() -> SegmentKeys:
    """Rows 0, 2, 3 in the first segment, 1 and 4 in the second one, whose row 1 is deleted."""
    places = np.array([[0, 0], [1, 0], [0, 1], [0, 2], [1, 2]], np.int32)
    return SegmentKeys(NAMES, RowMap(places, [3, 3]))


def test_a_key_names_a_segment_and_a_row_in_it() -> None:
    keys = two_segments()
    of_rows = keys.of_rows(np.arange(5))
    first, second = base_key(NAMES[0]), base_key(NAMES[1])
    assert of_rows.tolist() == [first, second, first + 1, first + 2, second + 2]
    assert of_rows.min() > 0  # int64 is enough for the largest name
    assert keys.rows_of(of_rows[[4, 0, 2]]).tolist() == [0, 2, 4]


def test_deleted_rows_and_other_segments_are_no_rows() -> None:
    keys = two_segments()
    deleted, foreign = base_key(NAMES[1]) + 1, base_key("abcdef0123456789")
    assert keys.rows_of(np.array([deleted, foreign, base_key(NAMES[1])])).tolist() == [1]
    assert keys.rows_of(np.array([deleted])).tolist() == []


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(0, 60), min_size=1))
def test_the_expression_holds_for_these_keys_alone(keys: set[int]) -> None:
    written = expression(np.array(sorted(keys)), most_terms=100)
    assert written is not None
    # Milvus's comparisons, `and`, `or` and `in` are Python's.
    assert {key for key in range(-3, 64) if eval(written, {"key": key})} == keys


def test_adjacent_keys_are_a_range_and_too_many_terms_are_none() -> None:
    assert expression(np.arange(5, 5_000), most_terms=1) == "(key >= 5 and key <= 4999)"
    scattered = np.arange(0, 40, 2)
    assert expression(scattered, most_terms=20) == f"key in {scattered.tolist()}"
    assert expression(scattered, most_terms=19) is None


def test_kept_vectors_are_fetched_once_and_stay_within_the_budget() -> None:
    fetched: list[int] = []

    def fetch(rows: Rows) -> Vectors:
        fetched.append(int(rows[0]))
        return np.full((len(rows), 4), rows[0], np.float32)

    cache = VectorCache(max_bytes=2 * 10 * 16)  # two sets of ten vectors
    sets = [np.arange(start, start + 10) for start in (0, 100, 200)]
    for rows in (sets[0], sets[1], sets[0], sets[2], sets[0], sets[1]):
        assert cache.get(rows, fetch)[:, 0].tolist() == [rows[0]] * 10
    assert fetched == [0, 100, 200, 100]
    for _ in range(2):
        cache.get(np.arange(300, 330), fetch)
    assert fetched[4:] == [300, 300]  # larger than the whole budget


def test_a_long_filter_travels_as_a_range_and_keeps_the_best(milvus: MilvusServer) -> None:
    vectors = unit_rows(600)
    store = MilvusGallery(milvus, vectors, "hnsw", segments=2).open(fetched_rows=50)
    within, query = np.arange(100, 500), unit_rows(1, seed=3)
    (rows,) = store.candidates(query, 10, within=within)
    assert 10 <= len(rows) < 50  # it was no fetch of all that match
    assert set(rows.tolist()) <= set(within.tolist())
    nearest = within[np.argsort(-(vectors[within] @ query[0]))[:10]]
    assert len(set(rows.tolist()) & set(nearest.tolist())) >= 9
    store.close()


@pytest.mark.parametrize("uri", ["", "milvus:19530", "ftp://host:1", "http://", "//host", "http://[::1"])
def test_what_is_no_address_is_rejected(uri: str) -> None:
    with pytest.raises(MilvusUriInvalid, match="http://localhost:19530"):
        MilvusServer(uri)


def test_an_address_with_a_password_is_rejected_without_saying_it() -> None:
    with pytest.raises(MilvusUriInvalid, match="token") as caught:
        MilvusServer("http://root:geheim@localhost:19530")
    assert "geheim" not in str(caught.value)


def test_nothing_listens(capfd: pytest.CaptureFixture[str]) -> None:
    server = MilvusServer(f"http://127.0.0.1:{unused_port()}", token="root:geheim", timeout_s=1.0)
    assert "geheim" not in repr(server)
    with pytest.raises(StoreUnavailable, match=f"{server.uri} cannot connect") as caught:
        server.connect()
    assert "geheim" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_messages_of_the_server_are_shown_without_the_token(milvus: MilvusServer) -> None:
    import pymilvus

    server = MilvusServer(milvus.uri, token="root:geheim")
    with pytest.raises(StoreUnavailable) as caught, server.errors("search x"):
        raise pymilvus.MilvusException(1, "denied for root:geheim, that is geheim\n at line 3")
    assert str(caught.value) == f"Milvus at {milvus.uri} cannot search x: denied for ***, that is *** at line 3"


def test_a_collection_that_is_gone_or_lacks_a_segment_cannot_be_opened(milvus: MilvusServer) -> None:
    gallery = MilvusGallery(milvus, unit_rows(20), "flat")
    absent = Collection("inkseek_test_absent", gallery.names, gallery.row_map, 8)
    with pytest.raises(StoreUnavailable, match="no collection inkseek_test_absent"):
        MilvusStore.open(milvus, absent, gallery.plan)
    written = gallery.write("inkseek_test_other")
    lacking = Collection(written.name, (NAMES[0],), gallery.row_map, 8)
    with pytest.raises(StoreUnavailable, match=f"lacks the partition segment_{NAMES[0]}"):
        MilvusStore.open(milvus, lacking, gallery.plan)


def test_vectors_that_disappear_are_an_error_of_the_store(milvus: MilvusServer) -> None:
    gallery = MilvusGallery(milvus, unit_rows(30), "flat")
    store = gallery.open()
    client = milvus.connect()
    (name,) = [n for n in client.list_collections() if n == store.collection.name]
    client.delete(name, ids=[base_key(gallery.names[0]) + 7])
    with pytest.raises(StoreUnavailable, match=f"1 of 30 vectors are not in {name}"):
        store.vectors_of(np.arange(30))
    client.drop_collection(name)
    with pytest.raises(StoreUnavailable, match=f"cannot search {name}"):
        store.candidates(unit_rows(1), 3)
    client.close()
    store.close()


@pytest.mark.parametrize("plan", [SearchPlan(kind="milvus", factory="HNSW", ef_search=2), None])
def test_another_setting_searches_the_same_collection(milvus: MilvusServer, plan: SearchPlan | None) -> None:
    gallery = MilvusGallery(milvus, unit_rows(50), "hnsw")
    store = gallery.open()
    other = store.at(plan or gallery.plan)
    (rows,) = other.candidates(unit_rows(1), 5)
    assert len(rows) >= 5
    assert other.collection is store.collection
    store.close()
