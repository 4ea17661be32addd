"""The cost of encoders in CPU time per image."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Encode = Callable[[NDArray[np.float32]], object]


@dataclass(frozen=True)
class TimedEncoder:
    """An encoder to be timed, best opened with one thread. `size_px`: side of its input."""

    encode: Encode
    size_px: int


def cpu_milliseconds(encoders: Mapping[str, TimedEncoder], *, batch: int = 1, rounds: int = 20) -> dict[str, float]:
    """The median CPU time per image of each encoder, in milliseconds, by name.

    They take turns, and the process's CPU time is read: other work on the machine weighs little, and on all alike.
    """
    random = np.random.default_rng(0)
    inputs = {
        name: random.standard_normal((batch, 3, one.size_px, one.size_px), dtype=np.float32)
        for name, one in encoders.items()
    }
    spent: dict[str, list[float]] = {name: [] for name in encoders}
    for name, one in encoders.items():
        one.encode(inputs[name])  # the first call allocates
    for _ in range(rounds):
        for name, one in encoders.items():
            began = time.process_time()
            one.encode(inputs[name])
            spent[name].append((time.process_time() - began) / batch)
    return {name: 1e3 * statistics.median(times) for name, times in spent.items()}
