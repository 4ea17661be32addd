"""What the background checks see and say: canaries, new versions, stale adapters."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index_builder.artifact import SearchDevice
from index_builder.build import BuildRequest, build_index
from service.config import Settings
from service.errors import NotReady, OnlineCorrupt
from service.runtime.metrics import MULTIPROCESS_VARIABLE, Metrics
from service.runtime.monitoring.health import Health
from service.runtime.monitoring.monitor import Monitor
from service.runtime.process import started
from service.runtime.serving import Serving, check_canary, load_bundle, load_retriever, open_retriever
from service.runtime.threads.workers import Workers
from service.store.database import FILE
from service.store.records import AdapterTarget


def sample(metrics: Metrics, name: str) -> float:
    lines = metrics.exposition().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


@contextmanager
def serving(settings: Settings, device: SearchDevice | None = None) -> Iterator[tuple[Serving, Metrics]]:
    served = Serving.of(load_retriever(settings, load_bundle(settings), device=device))
    try:
        yield served, Metrics()
    finally:
        served.close()


def test_health_is_trouble_until_a_canary_was_answered() -> None:
    health = Health(stale_after_s=5.0)
    assert health.trouble and "not been answered yet" in health.trouble
    assert health.checked_s_ago is None
    health.right()
    assert health.trouble is None
    assert health.checked_s_ago is not None and health.checked_s_ago < 1
    health.problem = "the encoder answers nonsense"
    assert health.trouble == "the encoder answers nonsense"
    health.right()
    health.answered_at = time.monotonic() - 6
    assert health.trouble and "6 s ago" in health.trouble


def test_a_canary_that_fails_and_recovers(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with serving(settings) as (served, metrics):
        workers = Workers(1, 1, 5.0, metrics)
        monitor = Monitor(settings, served, workers, metrics)
        asyncio.run(monitor.check_answers())
        assert not monitor.health.trouble
        assert sample(metrics, "inkseek_ready ") == 1
        successor = load_retriever(settings, served.bundle)
        dead: Any = _Broken()
        served.swap(replace(successor, bundle=replace(successor.bundle, sketch=dead)))
        with caplog.at_level(logging.ERROR, "inkseek.service"):
            asyncio.run(monitor.check_answers())
            asyncio.run(monitor.check_answers())
        assert monitor.health.trouble and "answered wrong" in monitor.health.trouble
        assert (sample(metrics, "inkseek_ready "), sample(metrics, "inkseek_canary_failures_total")) == (0, 2)
        assert len([record for record in caplog.records if "not ready" in record.message]) == 1  # once, not each time
        served.swap(load_retriever(settings, load_bundle(settings)))
        asyncio.run(monitor.check_answers())
        assert not monitor.health.trouble
        assert sample(metrics, "inkseek_ready ") == 1
        workers.close()


def test_a_card_that_fails_shows_in_the_metrics(settings: Settings) -> None:
    class Card:
        name, most_results = "cuda", 10

        def index(self, dim: int) -> Any:
            raise RuntimeError("never asked: the gallery is small")

        clustering_index = index

    device = SearchDevice.of(Card)
    with closing(device), serving(settings, device) as (served, metrics):
        workers = Workers(1, 1, 5.0, metrics)
        monitor = Monitor(settings, served, workers, metrics)
        asyncio.run(monitor.check_answers())
        assert sample(metrics, 'inkseek_search_device_info{device="cuda"}') == 1
        device.failed(RuntimeError("the card is gone"))
        asyncio.run(monitor.check_answers())
        assert sample(metrics, 'inkseek_search_device_info{device="cuda"}') == 0
        assert sample(metrics, 'inkseek_search_device_info{device="cpu"}') == 1
        assert not monitor.health.trouble
        workers.close()


class _Broken:
    """An encoder whose device died."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("the device is gone")


def test_a_version_that_cannot_be_loaded_is_tried_again_later(settings: Settings, tmp_path: Path) -> None:
    index = tmp_path / "index"
    own = settings.model_copy(update={"index": index, "online_dir": tmp_path / "online"})
    photos = settings.index.parent.parent
    gallery = next(path for path in photos.glob("*/photos.csv"))
    built = build_index(BuildRequest(photos=gallery, out=index, bundle=settings.bundle))
    with serving(own) as (served, metrics):
        workers = Workers(1, 1, 5.0, metrics)
        monitor = Monitor(own, served, workers, metrics)
        (index / "current").write_text("000009-0123456789ab\n")
        for _ in range(2):
            asyncio.run(monitor.check_index())
        health = monitor.health
        assert health.update_problem and "000009-0123456789ab" in health.update_problem
        assert (health.rejected_version, served.version) == ("000009-0123456789ab", built.version)
        assert sample(metrics, "inkseek_index_load_failures_total") == 1
        assert health.retry_at > time.monotonic()
        (index / "current").write_text(built.version + "\n")
        asyncio.run(monitor.check_index())
        assert not health.update_problem
        assert not health.rejected_version
        again = build_index(BuildRequest(photos=gallery, out=index, bundle=settings.bundle))
        asyncio.run(monitor.check_index())
        assert served.version == again.version != built.version
        labels = f'bundle_id="{served.bundle.bundle_id}",index_version="{built.version}"'
        assert sample(metrics, f"inkseek_index_info{{{labels}}}") == 0
        assert sample(metrics, "inkseek_index_swaps_total") == 1
        workers.close()


def test_damage_that_was_not_looked_for_at_the_start_makes_the_process_unready(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index = tmp_path / "index"
    own = settings.model_copy(update={"index": index, "online_dir": tmp_path / "online"})
    gallery = next(settings.index.parent.parent.glob("*/photos.csv"))
    build_index(BuildRequest(photos=gallery, out=index, bundle=settings.bundle))
    with serving(own) as (served, metrics):
        workers = Workers(1, 1, 5.0, metrics)
        monitor = Monitor(own, served, workers, metrics)
        asyncio.run(monitor.check_answers())
        asyncio.run(monitor.index.compare_hashes())
        assert monitor.health.trouble is None
        # Thumbnails are what no canary looks at.
        photos = next(index.glob("segments/*/photos.sqlite"))
        data = bytearray(photos.read_bytes())
        data[-1] ^= 1
        photos.write_bytes(data)
        with caplog.at_level(logging.ERROR, "inkseek.service"):
            asyncio.run(monitor.index.compare_hashes())
        assert monitor.health.trouble and "not as they were built (IndexCorrupt)" in monitor.health.trouble
        assert str(tmp_path) not in monitor.health.trouble
        assert any("photos.sqlite" in record.getMessage() for record in caplog.records)
        # A version that is built anew and taken into service is whole.
        build_index(BuildRequest(photos=gallery, out=index, bundle=settings.bundle))
        asyncio.run(monitor.check_index())
        assert monitor.health.trouble is None
        workers.close()


def test_the_online_store_in_metrics_and_log(
    settings: Settings, make_adapter: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with serving(settings) as (served, metrics):
        workers = Workers(1, 1, 5.0, metrics)
        monitor = Monitor(settings, served, workers, metrics).online
        with served.borrow() as retriever:
            stale = retriever.store.add(make_adapter("box", bundle_id="bundle-old"), 9, 9)
            numbers = np.ones(192, np.float32)
            fresh = make_adapter("cross", bundle_id=retriever.bundle.bundle_id)
            fitted = replace(fresh.adapter, mean=numbers, map=None)
            active = retriever.store.add(replace(fresh, adapter=fitted), 9, 9)
            with caplog.at_level(logging.WARNING, "inkseek.service"):
                monitor.check()
                monitor.check()
            warned = [record.getMessage() for record in caplog.records]
            assert len(warned) == 1 and stale.adapter_id in warned[0] and "adapters refit" in warned[0]
            assert sample(metrics, 'inkseek_adapters_active{scope="category"}') == 1
            assert sample(metrics, 'inkseek_adapters_active{scope="profile"}') == 0
            assert sample(metrics, "inkseek_adapters_outdated ") == 1
            # The scorer is ready before the first search.
            scorer = retriever.gallery().scorer("cross", fitted=True)
            assert scorer.adapter_id == active.adapter_id
            retriever.store.delete(AdapterTarget("category", "cross"), active.adapter_id)
            monitor.check()
            assert sample(metrics, 'inkseek_adapters_active{scope="category"}') == 0


def test_a_store_that_breaks_is_logged_once_and_served_on(
    settings: Settings, make_adapter: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with serving(settings) as (served, metrics), served.borrow() as retriever:
        retriever.store.add(make_adapter("box", bundle_id="bundle-old"), 9, 9)
        workers = Workers(1, 1, 5.0, metrics)
        monitor = Monitor(settings, served, workers, metrics).online
        monitor.check()
        path = settings.online_folder / FILE
        path.rename(path.with_suffix(".away"))
        path.write_bytes(b"no database" * 100)
        with caplog.at_level(logging.ERROR, "inkseek.service"):
            monitor.check()
            monitor.check()
        assert retriever.store.problem is not None
        assert [adapter.target.name for adapter in retriever.store.state().outdated] == ["box"]  # the last whole state
        assert len([record for record in caplog.records if "cannot be read" in record.getMessage()]) == 1


def test_what_cannot_be_searched_does_not_start(settings: Settings) -> None:
    settings.online_folder.mkdir()
    (settings.online_folder / FILE).write_bytes(b"no database" * 100)
    with pytest.raises(OnlineCorrupt), open_retriever(settings):
        pass


def test_a_canary_looks_up_photos(settings: Settings) -> None:
    with open_retriever(settings) as retriever:
        check_canary(retriever)

        class Lost:
            """An index that finds rows, and no photo of them."""

            def __getattr__(self, name: str) -> Any:
                return getattr(retriever.index, name)

            def photos(self, rows: list[int]) -> list[Any]:
                return []

        with pytest.raises(NotReady, match="cannot look up"):
            check_canary(replace(retriever, index=Lost()))  # type: ignore[arg-type]


def test_a_process_is_closed_in_the_opposite_order(settings: Settings) -> None:
    metrics = Metrics()

    async def scenario() -> None:
        async with started(settings, metrics) as process:
            assert process.monitor.health.trouble is None
            assert await process.workers.run(lambda: 7) == 7
            assert sample(metrics, "inkseek_index_photos ") == 8
        with pytest.raises(RuntimeError):
            await process.workers.run(lambda: 7)

    asyncio.run(scenario())


def test_metrics_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MULTIPROCESS_VARIABLE, raising=False)
    metrics = Metrics()
    metrics.observe_stages({"decode": 2.0, "search": 500.0, "total": 900.0, "unknown": 1.0})
    text = metrics.exposition().decode()
    assert 'inkseek_stage_seconds_bucket{le="0.0025",stage="decode"} 1.0' in text
    assert 'inkseek_stage_seconds_bucket{le="0.25",stage="search"} 0.0' in text
    assert "unknown" not in text and "total" not in [line.split('stage="')[-1][:5] for line in text.splitlines()]
    assert sample(metrics, 'inkseek_stage_seconds_sum{stage="search"}') == pytest.approx(0.5)
    assert Metrics().registry is not metrics.registry
    metrics.retire_process()  # nothing to retire with one process


def test_what_is_noted_of_searches_is_counted_as_if_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MULTIPROCESS_VARIABLE, raising=False)
    metrics, direct = Metrics(), Metrics()
    times_ms = [0.0, 0.5, 0.6, 1.0, 2.4, 9_999.0, 10_000.0, 10_001.0] * 300

    def observe() -> None:
        for milliseconds in times_ms:
            metrics.observe_stages({"search": milliseconds, "total": milliseconds})

    threads = [threading.Thread(target=observe) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
        for milliseconds in times_ms:
            direct.stage_seconds.labels("search").observe(milliseconds / 1000)
    buckets = 'inkseek_stage_seconds_bucket{le="%s",stage="search"}'
    for bound in ("0.0005", "0.001", "0.0025", "10.0", "+Inf"):
        assert sample(metrics, buckets % bound) == sample(direct, buckets % bound) > 0
    total = 'inkseek_stage_seconds_sum{stage="search"}'
    assert sample(metrics, total) == pytest.approx(sample(direct, total))


def test_metrics_of_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MULTIPROCESS_VARIABLE, raising=False)
    metrics = Metrics()
    metrics.observe_answer((0.83, 0.7), False)
    metrics.observe_answer((0.4, 0.1), True)
    metrics.observe_answer((-0.2, None), None)
    metrics.observe_answer(None, True)
    for result in ("match", "no_good_match", "uncalibrated", "empty"):
        assert sample(metrics, f'inkseek_answers_total{{result="{result}"}}') == 1
    assert sample(metrics, "inkseek_best_score_count") == 3
    assert sample(metrics, "inkseek_best_score_sum") == pytest.approx(1.03)
    assert sample(metrics, 'inkseek_best_score_bucket{le="0.0"}') == 1  # a worse match than nothing in common
    assert sample(metrics, "inkseek_confidence_count") == 2
    assert sample(metrics, "inkseek_confidence_sum") == pytest.approx(0.8)
