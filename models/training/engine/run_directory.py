"""What a run leaves behind: its configuration, revision and environment, metrics, curves, weights.

config.json        the experiment, resolved            checkpoint.pt    what it takes to go on
environment.json   revision, versions, machine         metrics.jsonl    a line an entry, by step
tensorboard/       the same as curves, where `tensorboard` is installed (the extra `train`)
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.atomic_files import write_json, write_text
from models.errors import InkseekError

_MAY_CHANGE = frozenset({"about"})
_STATUS = ("git", "status", "--porcelain", "--untracked-files=no")


class RunMismatch(InkseekError):
    """The directory holds a run of another configuration."""


@dataclass(frozen=True)
class RunDirectory:
    """A run's directory; create it with `open`."""

    path: Path

    @classmethod
    def open(cls, path: Path, experiment: dict[str, Any]) -> RunDirectory:
        """Start a run there, or go on with one that has got to a checkpoint. Raises RunMismatch."""
        path.mkdir(parents=True, exist_ok=True)
        run = cls(path)
        config = path / "config.json"
        if run.checkpoint.is_file() and config.is_file():
            known = run.config()
            changed = [name for name in experiment if name not in _MAY_CHANGE and known.get(name) != experiment[name]]
            if changed:
                raise RunMismatch(
                    f"{path} holds a run with another {', '.join(changed)}: give another --out, or delete it"
                )
        write_json(config, experiment)
        write_json(path / "environment.json", environment())
        return run

    @property
    def checkpoint(self) -> Path:
        """State to go on from."""
        return self.path / "checkpoint.pt"

    @property
    def metrics(self) -> Path:
        """Entries by step, one JSON document a line."""
        return self.path / "metrics.jsonl"

    def config(self) -> dict[str, Any]:
        """The experiment."""
        experiment: dict[str, Any] = json.loads((self.path / "config.json").read_text(encoding="utf-8"))
        return experiment

    def entries(self) -> list[dict[str, float]]:
        """Every metrics entry that is whole: a kill may cut the last one short."""
        lines = self.metrics.read_text(encoding="utf-8").splitlines() if self.metrics.is_file() else []
        return [entry for line in lines if (entry := _entry(line)) is not None]

    def rewind(self, step: int) -> None:
        """Drop entries after `step`, which a run that goes on from there will write again."""
        kept = [json.dumps(entry) for entry in self.entries() if entry["step"] <= step]
        write_text(self.metrics, "".join(f"{line}\n" for line in kept))


class Metrics:
    """Appends entries to `metrics.jsonl`, and draws curves where `tensorboard` is installed."""

    def __init__(self, run: RunDirectory, step: int) -> None:
        """`step`: the last one already done; what was written after it is dropped."""
        run.rewind(step)
        self._path = run.metrics
        self._writer: Any = None
        if importlib.util.find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(run.path / "tensorboard"), purge_step=step + 1)

    def add(self, step: int, values: dict[str, float]) -> None:
        """One entry."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush the curves."""
        if self._writer is not None:
            self._writer.close()


def environment() -> dict[str, Any]:
    """What a result may depend on besides configuration and data."""
    return {
        "revision": _revision(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())],
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def _entry(line: str) -> dict[str, float] | None:
    try:
        entry: dict[str, float] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return entry


def _revision() -> str | None:
    """The commit of the source, with `+changes` where files differ from it; None outside of a checkout."""
    folder = Path(__file__).resolve().parent
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
        changes = subprocess.run(_STATUS, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+changes" if changes.stdout.strip() else "")
