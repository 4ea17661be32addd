"""The directory that a run leaves behind.

config.json        the experiment with all defaults    checkpoint.pt    the state that the run resumes from
environment.json   revision, versions, machine         metrics.jsonl    an entry per line, by step
data.json          what is trained on, by data set     tensorboard/     the same as curves, where it is installed
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.atomic_files import write_json, write_text
from models.errors import InkseekError
from models.training.engine.environment import environment

DATA_NAME = "data.json"
_MAY_CHANGE = frozenset({"about"})


class RunMismatch(InkseekError):
    """The directory holds a run of another configuration, or cannot hold one."""


@dataclass(frozen=True)
class RunDirectory:
    """A run's directory; create it with `open`."""

    path: Path

    @classmethod
    def open(
        cls,
        path: Path,
        experiment: Mapping[str, Any],
        normalise: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    ) -> RunDirectory:
        """Start a run there, or resume one that has reached a checkpoint. Raises RunMismatch, OSError.

        `normalise` fills in defaults that the directory's experiment was written without; see `Experiment.normalised`.
        """
        if path.exists() and not path.is_dir():
            raise RunMismatch(f"{path} is a file; a run writes a directory: give another --out")
        path.mkdir(parents=True, exist_ok=True)
        run = cls(path)
        config = path / "config.json"
        # Without a checkpoint nothing has been learned yet, so another experiment may take the directory over.
        if run.checkpoint.is_file() and config.is_file():
            try:
                known = normalise(run.config())
            except ValueError as error:
                raise RunMismatch(f"{config} is damaged: give another --out, or delete the run's directory") from error
            changed = [name for name in experiment if name not in _MAY_CHANGE and known.get(name) != experiment[name]]
            if changed:
                raise RunMismatch(
                    f"{path} holds a run with another {', '.join(changed)}: give another --out, or delete it"
                )
        write_json(config, dict(experiment))
        write_json(path / "environment.json", environment())
        return run

    @property
    def checkpoint(self) -> Path:
        """The state that the run resumes from."""
        return self.path / "checkpoint.pt"

    @property
    def metrics(self) -> Path:
        """Entries by step, one JSON document per line."""
        return self.path / "metrics.jsonl"

    def write_data(self, contents: Sequence[Mapping[str, Any]]) -> None:
        """Say what is trained on: an entry per data set. Raises OSError."""
        write_json(self.path / DATA_NAME, [dict(each) for each in contents])

    def config(self) -> dict[str, Any]:
        """The experiment as it was written. Raises OSError, ValueError where it is missing or damaged."""
        experiment: dict[str, Any] = json.loads((self.path / "config.json").read_text(encoding="utf-8"))
        return experiment

    def entries(self) -> list[dict[str, float]]:
        """Every complete metrics entry, in order: a kill may cut the last one short."""
        lines = self.metrics.read_text(encoding="utf-8").splitlines() if self.metrics.is_file() else []
        return [entry for line in lines if (entry := _entry(line)) is not None]

    def rewind(self, step: int) -> None:
        """Drop entries after `step`, which a run that resumes from there will write again."""
        kept = [json.dumps(entry) for entry in self.entries() if entry["step"] <= step]
        write_text(self.metrics, "".join(f"{line}\n" for line in kept))


def _entry(line: str) -> dict[str, float] | None:
    try:
        entry: dict[str, float] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return entry
