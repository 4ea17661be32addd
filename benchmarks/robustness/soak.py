"""Half an hour of ordinary requests with one in twenty that is poison: does resident memory go on growing?

    python -m benchmarks.robustness.soak --minutes 30 --rate 10

Sketches as PNG, WebP, SVG and strokes, batches, previews and pictures of photos, and files of `poison_files`. Memory is
that of the service and all its child processes (VmRSS), five times a minute; a minute's figure is the median. The bar:
the last three minutes are less than 5 % above the fifth, every good request is answered right.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.poison import status_mib
from benchmarks.robustness.service_process import PHOTO_IDS, Running, build_gallery, picture, running
from tests.unit.images.poison_files import poison_files

_GROWTH = 0.05
_FROM_MINUTE = 5
_SAMPLE_S = 12.0
_CLIENTS = 2
_SVG = b'<svg viewBox="0 0 99 99" fill="none" stroke="black"><path d="M9 9L90 80M20 70L80 20"/></svg>'


def files(number: int) -> dict[str, bytes]:
    """The picture of a photo, in two formats."""
    kept = {}
    for kind in ("PNG", "WEBP"):
        buffer = io.BytesIO()
        picture(number).save(buffer, kind, **({"lossless": True} if kind == "WEBP" else {}))
        kept[kind] = buffer.getvalue()
    return kept


@dataclass
class Soak:
    """What was sent, what came back, and what the service took meanwhile."""

    service: Running
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    by_minute: list[list[float]] = field(default_factory=list)

    def good(self, client: httpx.Client, rng: random.Random) -> None:
        """One ordinary request, whose answer is known."""
        number = rng.randrange(len(PHOTO_IDS))
        kind = rng.choice(("PNG", "PNG", "WEBP", "svg", "strokes", "batch", "preview", "picture"))
        pictures = files(number)
        if kind == "picture":
            answer = client.get(f"/v1/photos/{PHOTO_IDS[number]}/thumbnail")
        elif kind == "batch":
            answer = client.post("/v1/search:batch", files=[("sketch", data) for data in pictures.values()])
        elif kind == "preview":
            answer = client.post("/v1/preview", content=pictures["PNG"])
        elif kind == "strokes":
            answer = client.post("/v1/search", json={"drawing": [[[1, 50, 90], [5, 60, 9]], [[9, 9, 80], [7, 70, 70]]]})
        else:
            answer = client.post("/v1/search", content=_SVG if kind == "svg" else pictures[kind])
        self.statuses[f"good {answer.status_code}"] += 1
        right = answer.status_code in (200, 429)  # all at once beside poison: waiting is no fault, a wrong answer is
        if answer.status_code == 200 and kind in ("PNG", "WEBP"):
            right = answer.json()["results"][0]["photo_id"] == PHOTO_IDS[number]
        if not right:
            self.wrong.append(f"{kind}: {answer.status_code} {answer.text[:200]}")

    def poison(self, client: httpx.Client, data: bytes) -> None:
        """One file that costs more than it should; any answer but a failure will do."""
        answer = client.post("/v1/search", content=data)
        self.statuses[f"poison {answer.status_code}"] += 1
        if answer.status_code >= 500 and answer.status_code != 503:
            self.wrong.append(f"poison: {answer.status_code} {answer.text[:200]}")

    def user(self, seed: int, due: Iterator[float], until: float) -> None:
        """One client: requests when they are due, until the end."""
        rng, poisons = random.Random(seed), poison_files(10**6, seed)
        with httpx.Client(base_url=self.service.url, timeout=120) as client:
            for at in due:
                if max(at, time.monotonic()) > until:
                    return
                time.sleep(max(0.0, at - time.monotonic()))
                try:
                    if rng.random() < 0.05:
                        self.poison(client, next(poisons)[1])
                    else:
                        self.good(client, rng)
                except httpx.TransportError as error:
                    self.wrong.append(f"{type(error).__name__}: {error}")

    def watch(self, minutes: float) -> None:
        """Note memory until the time is over."""
        began = time.monotonic()
        while (passed_s := time.monotonic() - began) < minutes * 60:
            minute = int(passed_s // 60)
            self.by_minute += [[] for _ in range(minute + 1 - len(self.by_minute))]
            with suppress(OSError):  # a child may end at this very moment
                self.by_minute[minute].append(sum(status_mib(pid, "VmRSS") for pid in self.service.pids()))
            time.sleep(_SAMPLE_S)

    def report(self) -> dict[str, Any]:
        """Medians by minute, growth, and what was wrong."""
        medians = [round(statistics.median(samples), 1) for samples in self.by_minute if samples]
        early, late = medians[min(_FROM_MINUTE, len(medians) - 1)], statistics.median(medians[-3:])
        return {
            "requests": sum(self.statuses.values()),
            "statuses": dict(sorted(self.statuses.items())),
            "mib_by_minute": medians,
            "growth": round(late / early - 1, 4),
            "wrong": self.wrong[:20],
        }


def main() -> int:
    """Send, watch, print a JSON object; 1 beyond the bar."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=10.0, help="requests per second, together")
    parser.add_argument("--bundle", default="small")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inkseek-soak-") as scratch:
        index = build_gallery(Path(scratch), arguments.bundle)
        with running(index, arguments.bundle, Path(scratch), INKSEEK_THREADS="2") as service:
            soak, began = Soak(service), time.monotonic()
            users = [
                threading.Thread(
                    target=soak.user,
                    args=(seed, itertools.count(began, _CLIENTS / arguments.rate), began + arguments.minutes * 60),
                )
                for seed in range(_CLIENTS)
            ]
            for user in users:
                user.start()
            soak.watch(arguments.minutes)
            for user in users:
                user.join()
            alive = service.process.poll() is None
    report = soak.report() | {"alive": alive}
    print(json.dumps(report, indent=1))
    return int(report["growth"] >= _GROWTH or bool(soak.wrong) or not alive)


if __name__ == "__main__":
    raise SystemExit(main())
