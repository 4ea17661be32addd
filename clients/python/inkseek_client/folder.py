"""Folders of sketches: which files they are, in which batches they go, and the answer to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from inkseek_client.errors import ServiceProblem
from inkseek_client.inputs import FilePath
from inkseek_client.problems import error_of
from inkseek_client.schemas.search import BatchAnswer, BatchFault, SearchAnswer

Progress: TypeAlias = Callable[[int, int | None], object]
"""Called with how much is done, and of how much (None: unknown)."""

SKETCH_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".svg", ".json")
_FORM_BYTES = 512  # that a form adds to each file: boundary, headers


@dataclass(frozen=True)
class FileAnswer:
    """What was answered to the sketch in a file: an answer, or the problem."""

    path: Path
    outcome: SearchAnswer | ServiceProblem

    @property
    def answer(self) -> SearchAnswer:
        """The answer. Raises the ServiceProblem that came instead."""
        if isinstance(self.outcome, ServiceProblem):
            raise self.outcome
        return self.outcome


def outcomes(answer: BatchAnswer) -> list[SearchAnswer | ServiceProblem]:
    """An answer or an error for each item of a batch."""
    return [error_of(item.error) if isinstance(item, BatchFault) else item for item in answer.items]


def sketch_files(folder: FilePath) -> list[tuple[Path, int]]:
    """The sketches below a folder by name, and their sizes in bytes. Raises OSError, NotADirectoryError."""
    root = Path(folder)
    if not root.is_dir():
        raise NotADirectoryError(f"{root} is no folder")
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in SKETCH_SUFFIXES and path.is_file())
    return [(path, path.stat().st_size) for path in paths]


def batches(files: Iterable[tuple[Path, int]], max_items: int, max_bytes: int) -> Iterator[list[Path]]:
    """Files in their order, cut where a batch would get more than `max_items` or `max_bytes`.

    A file that is too large by itself is a batch of its own, which the service rejects with its reason.
    """
    batch: list[Path] = []
    held = 0
    for path, size in files:
        if batch and (len(batch) == max_items or held + size + _FORM_BYTES > max_bytes):
            yield batch
            batch, held = [], 0
        batch.append(path)
        held += size + _FORM_BYTES
    if batch:
        yield batch
