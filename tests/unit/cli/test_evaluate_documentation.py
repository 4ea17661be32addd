"""docs/reference/evaluation.md has a row for every option."""

from __future__ import annotations

import inspect
from pathlib import Path

from models.cli.evaluate import evaluate
from models.evaluation.intervals import RESAMPLES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "evaluation.md").read_text(encoding="utf-8")


def test_every_option_has_its_row() -> None:
    words = {"every": "--all", "as_json": "--json"}
    known = {words.get(name, f"--{name.replace('_', '-')}") for name in inspect.signature(evaluate).parameters}
    assert {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `--")} == known


def test_the_number_of_resamples_is_the_one_that_is_used() -> None:
    assert f"{RESAMPLES:,} bootstrap resamples" in PAGE
