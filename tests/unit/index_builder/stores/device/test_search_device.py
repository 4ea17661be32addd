"""A card behind its one thread, with a fake that notices every other; and what happens where there is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faiss
import numpy as np
import pytest

from index_builder.stores.choice import CPU, VECTORS, build_store, open_device, open_store
from index_builder.stores.device import SearchDevice
from index_builder.stores.device.card_store import MIN_ROWS, CardStore
from index_builder.stores.exact import ExactStore
from index_builder.stores.faiss.gpu import FaissCardIndex, find_card
from index_builder.stores.plan import StoreSettings, choose_plan
from index_builder.stores.ranking import top_k
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Rows, Vectors
from models.bundle import RuntimeUnavailable

COUNT, DIM = MIN_ROWS + 40, 8


class FakeCard:
    """A card in the CPU's memory. Every call must come from one thread, which is not the test's."""

    name, most_results = "cuda", 100

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.batches: list[int] = []
        self.fails = False
        self.is_open = 0

    def check(self) -> None:
        assert threading.get_ident() == self.thread != threading.main_thread().ident
        if self.fails:
            raise RuntimeError("the card has no memory left")

    def index(self, dim: int) -> FakeCardIndex:
        self.check()
        self.is_open += 1
        return FakeCardIndex(self, dim)

    def clustering_index(self, dim: int) -> Any:
        self.check()
        return faiss.IndexFlatIP(dim)


class FakeCardIndex:
    def __init__(self, card: FakeCard, dim: int) -> None:
        self.card, self.index = card, FaissCardIndex(faiss.IndexFlatIP(dim))

    def add(self, vectors: Vectors) -> None:
        self.card.check()
        self.index.add(vectors)

    def search(self, queries: Vectors, k: int) -> Rows:
        self.card.check()
        self.card.batches.append(len(queries))
        return self.index.search(queries, k)

    def close(self) -> None:
        assert threading.get_ident() == self.card.thread
        self.card.is_open -= 1


def unit_rows(count: int, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    rows: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


@pytest.fixture
def device() -> Iterator[SearchDevice]:
    opened = SearchDevice.of(FakeCard)
    yield opened
    opened.close()


def card_of(device: SearchDevice) -> FakeCard:
    assert isinstance(device.card, FakeCard)
    return device.card


def best(store: Any, query: Vectors, k: int = 10) -> list[int]:
    (rows,) = store.candidates(query[None], k)
    found: list[int] = top_k(store.products(query[None], rows)[0], k, rows)[1].tolist()
    return found


def test_the_card_gives_the_ranks_of_an_exact_search(device: SearchDevice) -> None:
    # Every vector twice: ties are broken by the row, as on the CPU.
    vectors = np.repeat(unit_rows(COUNT // 2), 2, axis=0)
    exact, store = ExactStore(vectors), CardStore.over(ExactStore(vectors), device)
    assert isinstance(store, CardStore)
    assert (device.name, device.problem, store.count, store.dim) == ("cuda", None, COUNT, DIM)
    for query in unit_rows(20, seed=1):
        assert best(store, query) == best(exact, query)
    card = card_of(device)
    asked = len(card.batches)
    assert asked == 20
    # Filtered, exact and very long answers are the CPU's.
    (within,) = store.candidates(vectors[:1], 5, within=np.array([3, 9]))
    assert within.tolist() == [3, 9]
    assert len(store.candidates(vectors[:1], 5, exact=True)[0]) == COUNT
    assert len(store.candidates(vectors[:1], 99)[0]) == COUNT
    assert len(card.batches) == asked
    store.close()
    assert card.is_open == 0


def test_deleted_rows_are_not_on_the_card(device: SearchDevice) -> None:
    vectors = unit_rows(COUNT)
    live = np.arange(1, COUNT, 2)
    store = CardStore.over(ExactStore(vectors), device, live)
    for row in range(0, 40, 2):  # each is deleted, and nearest to itself
        (rows,) = store.candidates(vectors[row : row + 1], 10)
        assert (rows % 2 == 1).all()
        truth = live[np.argsort(-(vectors[live] @ vectors[row]))[:10]]
        assert set(truth.tolist()) <= set(rows.tolist())


def test_threads_share_the_card_and_what_waits_is_answered_together(device: SearchDevice) -> None:
    vectors = unit_rows(COUNT)
    store = CardStore.over(ExactStore(vectors), device)
    held, card = threading.Event(), card_of(device)
    with ThreadPoolExecutor(10) as pool:
        blocked = pool.submit(device.run, held.wait)  # the card is busy while eight queries arrive
        found = [pool.submit(best, store, vectors[row], 1) for row in range(8)]
        several = pool.submit(store.candidates, vectors[8:12], 1)
        while device.waiting < 12:
            threading.Event().wait(0.001)
        held.set()
        assert [future.result(60) for future in found] == [[row] for row in range(8)]
        assert blocked.result(60)
        assert [row in rows for row, rows in enumerate(several.result(60), 8)] == [True] * 4
    assert card.batches == [12]


def test_a_card_that_fails_leaves_the_search_to_the_cpu(device: SearchDevice) -> None:
    vectors = unit_rows(COUNT)
    exact, store = ExactStore(vectors), CardStore.over(ExactStore(vectors), device)
    card_of(device).fails = True
    assert best(store, vectors[5]) == best(exact, vectors[5])
    assert device.name == "cpu"
    assert device.wanted == "cuda"
    assert device.problem == "the cuda failed (RuntimeError)"
    assert best(store, vectors[6]) == best(exact, vectors[6])
    # What is opened later does not even try.
    again = ExactStore(vectors)
    assert CardStore.over(again, device) is again
    store.close()


def test_a_card_without_room_leaves_the_store_as_it_is(device: SearchDevice) -> None:
    card_of(device).fails = True
    store = ExactStore(unit_rows(COUNT))
    assert CardStore.over(store, device) is store
    assert device.problem is not None


def test_small_stores_and_the_cpu_need_no_card(device: SearchDevice) -> None:
    small, large = ExactStore(unit_rows(MIN_ROWS - 1)), ExactStore(unit_rows(COUNT))
    assert CardStore.over(small, device) is small
    assert CardStore.over(large, CPU) is large
    assert (CPU.name, CPU.problem, CPU.wanted) == ("cpu", None, "cpu")


def test_a_store_is_trained_and_opened_on_the_card(tmp_path: Path, device: SearchDevice) -> None:
    vectors = unit_rows(COUNT)
    with VectorWriter(tmp_path / VECTORS, DIM) as writer:
        writer.append(vectors)
    settings = StoreSettings(nprobe=(4,), ivf_wide=())
    plan = choose_plan(COUNT, DIM, "ivfpq", settings)
    build_store(tmp_path, plan, count=COUNT, dim=DIM, threads=1, settings=settings, device=device)
    assert device.problem is None
    on_cpu = open_store(tmp_path, plan, count=COUNT, dim=DIM)
    on_card = open_store(tmp_path, plan, count=COUNT, dim=DIM, device=device)
    assert isinstance(on_card, CardStore)
    queries = unit_rows(20, seed=3)
    hits = [len(set(best(on_cpu, query)) & set(best(on_card, query))) for query in queries]
    assert np.mean(hits) > 5  # four of many lists find most
    truth = [np.argsort(-(vectors @ query))[:10].tolist() for query in queries]
    assert [best(on_card, query) for query in queries] == truth
    on_card.close()


def test_training_goes_on_on_the_cpu_when_the_card_fails(tmp_path: Path, device: SearchDevice) -> None:
    with VectorWriter(tmp_path / VECTORS, DIM) as writer:
        writer.append(unit_rows(2_000))
    card_of(device).fails = True
    plan = choose_plan(2_000, DIM, "ivfpq")
    build_store(tmp_path, plan, count=2_000, dim=DIM, threads=1, device=device)
    assert device.problem is not None
    assert len(open_store(tmp_path, plan, count=2_000, dim=DIM).candidates(unit_rows(1), 5)[0]) >= 5


class _Gpu:
    """A faiss module of a GPU build, as far as it is used."""

    StandardGpuResources = SimpleNamespace
    GpuIndexFlatIP = staticmethod(lambda resources, dim: faiss.IndexFlatIP(dim))

    def __init__(self, cards: int) -> None:
        self._cards = cards

    def get_num_gpus(self) -> int:
        return self._cards


def test_a_card_is_found_where_faiss_sees_one() -> None:
    card = find_card(_Gpu(1))
    assert not isinstance(card, str)
    index, vectors = card.index(DIM), unit_rows(50)
    index.add(vectors)
    assert index.search(vectors[7:8], 1).tolist() == [[7]]
    index.close()
    assert index.search(vectors[7:8], 1).tolist() == [[-1]]
    assert find_card(_Gpu(0)) == "FAISS sees no GPU"
    assert "extras gpu" in str(find_card(SimpleNamespace()))


@pytest.mark.skipif(not isinstance(find_card(), str), reason="FAISS has a GPU here")
def test_a_gpu_that_is_required_and_absent_is_an_error_and_a_reason_otherwise() -> None:
    assert open_device("cpu").problem is None
    found = open_device("auto")
    assert (found.name, found.problem) == ("cpu", find_card())
    found.close()
    with pytest.raises(RuntimeUnavailable, match="a GPU is required"):
        open_device("cuda")
    with pytest.raises(RuntimeUnavailable, match="a GPU is required"):
        open_device("cpu", require_gpu=True)


def test_a_closed_device_ends_its_thread() -> None:
    opened = SearchDevice.of(FakeCard)
    opened.close()
    opened.close()
    assert not any(thread.name == "inkseek-device" and thread.is_alive() for thread in threading.enumerate())
    with pytest.raises(RuntimeError, match="closed"):
        opened.run(lambda: None)
