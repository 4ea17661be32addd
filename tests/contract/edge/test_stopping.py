"""Stopping: nothing is lost, and nothing is left over."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.contract.waiting import until


def test_a_burst_at_sigterm_is_answered(serve: Any, cross: bytes, raw_post: Any, answer_of: Any) -> None:
    with serve(INKSEEK_THREADS="2", INKSEEK_DRAIN_S="5") as served:
        with served.client() as kept:
            assert kept.post("/v1/search", content=cross).status_code == 200
            statuses: list[Any] = []

            def search(late_s: float) -> None:
                time.sleep(late_s)
                try:
                    # Not httpx: it takes longer to begin than the service drains.
                    with served.connect(raw_post("/v1/search", cross)) as connection:
                        statuses.append(answer_of(connection)[0])
                except OSError as error:
                    statuses.append(error)

            burst = [threading.Thread(target=search, args=(number * 0.02,)) for number in range(40)]
            for thread in burst:
                thread.start()
            time.sleep(0.3)
            served.process.send_signal(signal.SIGTERM)
            while (stopping := kept.get("/readyz")).status_code == 200:  # until it has seen the signal
                time.sleep(0.02)
            assert stopping.status_code == 503
            assert stopping.json()["code"] == "not_ready"
            assert "stopping" in stopping.json()["detail"]
            assert stopping.headers["connection"] == "close"
            for thread in burst:
                thread.join()
        assert statuses == [200] * 40
        assert served.process.wait(60) == 0


def workers_of(served: Any, count: int) -> list[int]:
    """The worker processes, once both answer."""
    threads = f"inkseek_threads {count}.0"
    until(lambda: threads in httpx.get(served.url + "/metrics", timeout=60).text and len(children_of(served)) == count)
    return children_of(served)


def children_of(served: Any) -> list[int]:
    """The worker processes that there are, whether or not they have started."""
    found = []
    for child in Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split():
        with contextlib.suppress(OSError):
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_worker_is_replaced_and_counted_no_more_and_a_killed_supervisor_takes_all_along(
    serve: Any, cross: bytes
) -> None:
    with serve("--workers", "2", INKSEEK_THREADS="1") as served:
        first = workers_of(served, 2)
        counted = 'inkseek_requests_total{method="POST",route="/v1/search",status="200"} 6.0'
        for _ in range(6):
            assert httpx.post(served.url + "/v1/search", content=cross, timeout=30).status_code == 200
        until(lambda: counted in httpx.get(served.url + "/metrics", timeout=30).text)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: first[0] not in children_of(served))
        second = workers_of(served, 2)
        assert first[1] in second and first[0] not in second
        # What it answered stays counted; what it was (threads, photos) is counted once for each process that lives.
        samples = ("threads 2.0", "index_photos 15.0", "ready 1.0", "in_flight 1.0")
        text = ""

        def is_right() -> bool:
            nonlocal text
            text = httpx.get(served.url + "/metrics", timeout=30).text
            return all(f"inkseek_{sample}\n" in text for sample in samples)

        until(is_right, lambda: text)
        assert counted in text
        served.process.kill()
        until(lambda: not any(map(is_running, second)))
