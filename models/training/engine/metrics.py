"""Metrics entries as they come: a line of `metrics.jsonl` each, and curves where `tensorboard` is installed."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

from models.training.engine.run_directory import RunDirectory


class Metrics:
    """Appends entries of a run; close it at the end."""

    def __init__(self, run: RunDirectory, step: int) -> None:
        """`step`: the last one already done; what was written after it is dropped."""
        run.rewind(step)
        self._path = run.metrics
        self._writer: Any = None
        if importlib.util.find_spec("tensorboard"):
            # The module fails to import where the optional package is not installed.
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(run.path / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, values: dict[str, float]) -> None:
        """Append an entry of named numbers at a step, atomically enough that a kill cuts at most the last line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write out buffered curves."""
        if self._writer is not None:
            self._writer.close()
