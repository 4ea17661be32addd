"""Drawings of nothing, as people try a search page with: zigzags, spirals, blobs, tangles, hatching, loose strokes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.data.datasets import LabelledSketch
from models.data.datasets.records.sketch_source import CANVAS, StrokeSketch

Points: TypeAlias = NDArray[np.float64]
"""(P, 2) x, y of one stroke, in any unit."""

Random: TypeAlias = np.random.Generator

_EXTENT = 0.84  # of the canvas


def scribbles(count: int, seed: int = 0) -> tuple[LabelledSketch, ...]:
    """So many, the forms in turn, each with its form as category; always the same ones of a seed."""
    random = np.random.default_rng(seed)
    names = tuple(FORMS)
    return tuple(
        LabelledSketch(StrokeSketch(f"{name} {number}", _on_canvas(FORMS[name](random))), name)
        for number, name in ((n, names[n % len(names)]) for n in range(count))
    )


def _on_canvas(strokes: tuple[Points, ...]) -> NDArray[np.float32]:
    """(P_i, 2) each -> (P, 3) x, y, pen-up in the middle of the canvas."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = _EXTENT * CANVAS / max(float((high - low).max()), 1e-9)
    lifted = np.concatenate([np.arange(1, len(stroke) + 1) == len(stroke) for stroke in strokes])
    return np.column_stack([(points - (low + high) / 2) * scale + CANVAS / 2, lifted]).astype(np.float32)


def _zigzag(random: Random) -> tuple[Points, ...]:
    corners = int(random.integers(4, 25))
    across = np.linspace(0, 1, corners) + random.normal(0, 0.02, corners)
    down = np.where(np.arange(corners) % 2, 0.0, random.uniform(0.1, 1)) + random.normal(0, 0.05, corners)
    return (_turned(random, np.stack([across, down], axis=1)),)


def _spiral(random: Random) -> tuple[Points, ...]:
    angles = np.linspace(0, random.uniform(2, 7) * 2 * np.pi, 200)
    radii, flat = angles ** random.uniform(0.5, 1.5), random.uniform(0.4, 1)
    points = np.stack([radii * np.cos(angles), flat * radii * np.sin(angles)], axis=1)
    return (_turned(random, points + random.normal(0, 0.01 * radii.max(), points.shape)),)


def _blob(random: Random) -> tuple[Points, ...]:
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radii = 1 + 0.35 * _wave(random, 120, 6)
    outline = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    return (np.concatenate([outline, outline[:1]]),)


def _tangle(random: Random) -> tuple[Points, ...]:
    count = int(random.integers(150, 500))
    across, down = (_wave(random, count, int(random.integers(4, 15))) for _ in range(2))
    return (np.stack([across + np.linspace(0, random.uniform(0, 2), count), down], axis=1),)


def _hatching(random: Random) -> tuple[Points, ...]:
    count = int(random.integers(4, 15))
    along, across = (_turned(random, np.array([axis])) for axis in ([1.0, 0.0], [0.0, 1.0]))
    ends = [(random.normal(0, 0.05), 0.6 + random.normal(0, 0.1)) for _ in range(count)]
    return tuple(
        np.concatenate([across * n / count + along * start, across * n / count + along * end])
        for n, (start, end) in enumerate(ends)
    )


def _loose_strokes(random: Random) -> tuple[Points, ...]:
    return tuple(
        0.3 * random.normal(0, 1, (int(random.integers(2, 12)), 2)).cumsum(axis=0) + random.normal(0, 1, 2)
        for _ in range(int(random.integers(2, 9)))
    )


def _turned(random: Random, points: Points) -> Points:
    angle = random.uniform(0, 2 * np.pi)
    turned: Points = points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turned


def _wave(random: Random, count: int, terms: int) -> NDArray[np.float64]:
    """(count,) a closed curve of so many harmonics, the higher the weaker."""
    at = np.linspace(0, 2 * np.pi, count, endpoint=False)
    wave = np.zeros(count)
    for term in range(1, terms + 1):
        wave += random.normal() / term * np.cos(term * at + random.uniform(0, 2 * np.pi))
    return wave


FORMS: Final[Mapping[str, Callable[[Random], tuple[Points, ...]]]] = MappingProxyType(
    {
        "zigzag": _zigzag,
        "spiral": _spiral,
        "blob": _blob,
        "tangle": _tangle,
        "hatching": _hatching,
        "loose strokes": _loose_strokes,
    }
)
