"""No file of a few bytes takes much: processor time and memory of the service, whatever a decoder would do with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.poison import CPU_S, PEAK_MIB
from tests.unit.images.costs_of_files import FILES

pytestmark = pytest.mark.timeout(400)
ROOT = Path(__file__).resolve().parents[3]

# By file, the answer as a sketch and as a photo.
ANSWERS = {
    "webp": ["ImageTooLarge", "photo ImageTooLarge"],
    "png": ["SketchSolid", "photo ok"],
    "png, rgba of 16 bits": ["SketchEmpty", "photo ok"],
    "png, a transparent colour": ["SketchEmpty", "photo ok"],
    "png, a transparent palette": ["SketchEmpty", "photo ok"],
    "gif, frames": ["SketchSolid", "photo ok"],
    "webp, frames": ["SketchSolid", "photo ok"],
    "jpeg, cmyk": ["SketchEmpty", "photo ok"],
    "jpeg": ["ImageTooLarge", "photo ImageTooLarge"],
    "svg": ["ImageUnsupported"],
}


@pytest.fixture(scope="module")
def taken() -> dict[str, dict[str, Any]]:
    """Measured in a process of its own, whose memory holds nothing but the service."""
    measured = subprocess.run(
        [sys.executable, "-m", "tests.unit.images.costs_of_files"],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    costs: dict[str, dict[str, Any]] = json.loads(measured.stdout)
    return costs


@pytest.mark.parametrize("name", FILES)
def test_a_costly_file_takes_no_more_than_any_may(taken: dict[str, dict[str, Any]], name: str) -> None:
    file = taken[name]
    assert file["outcomes"] == ANSWERS[name]
    assert file["cpu_s"] <= CPU_S
    assert file["peak_mib"] <= PEAK_MIB
    assert file["kept_mib"] <= 16


def test_a_file_that_is_rejected_costs_next_to_nothing(taken: dict[str, dict[str, Any]]) -> None:
    for name in ("webp", "jpeg", "svg"):
        assert taken[name]["cpu_s"] < 0.2, name
        assert taken[name]["peak_mib"] < 8, name
