"""Where the time of embedding goes: seconds of all threads together, by stage, and the stage that bounds the rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from PIL import Image

from models.arrays import Vectors
from models.bundle import ANYWHERE, Purpose, WrappedEncoder

T = TypeVar("T")


@dataclass
class StageTimes:
    """Seconds by stage; threads add to it."""

    seconds: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _marks: threading.local = field(default_factory=threading.local)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of the block as that stage's."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Count time as that stage's."""
        with self._lock:
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def mark(self) -> None:
        """Begin a stage that `since_mark` ends, on the calling thread."""
        self._marks.at = time.perf_counter()

    def since_mark(self, name: str) -> None:
        """Count the time since the thread's mark; without one, nothing."""
        at = getattr(self._marks, "at", None)
        if at is not None:
            self.add(name, time.perf_counter() - at)
            self._marks.at = None

    def rounded(self) -> dict[str, float]:
        """Seconds by stage, in the order in which stages began to take time."""
        return {name: round(seconds, 3) for name, seconds in self.seconds.items()}


def bottleneck(stages_s: dict[str, float], workers: int) -> str | None:
    """The stage that bounds the rate of embedding: writing, on one thread, or the longest that `workers` share."""
    shared = {name: stages_s.get(name, 0.0) for name in ("read", "decode", "prepare", "encode", "thumbnail")}
    if not any(shared.values()):
        return None
    longest = max(shared, key=lambda name: shared[name])
    return "write" if stages_s.get("write", 0.0) > sum(shared.values()) / workers else longest


@dataclass(frozen=True)
class TimedEncoder(WrappedEncoder):
    """An encoder whose time is counted; what passes between reading a file and preparing it is decoding."""

    times: StageTimes

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Vectors:
        """An image -> one input. Raises what the encoder raises."""
        self.times.since_mark("decode")
        with self.times.stage("prepare"):
            return self.encoder.prepare(image, purpose)

    def encode(self, batch: Vectors) -> Vectors:
        """(B, ...) inputs -> (B, E)."""
        with self.times.stage("encode"):
            return self.encoder.encode(batch)


def timed(times: StageTimes, name: str, call: Callable[[], T]) -> Callable[[], T]:
    """`call` as that stage; decoding begins where it ends."""

    def counted() -> T:
        with times.stage(name):
            result = call()
        times.mark()
        return result

    return counted
