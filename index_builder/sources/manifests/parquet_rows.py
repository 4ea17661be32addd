"""Parquet as manifests, read in batches of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index_builder.errors import GalleryInvalid, ParquetUnavailable
from index_builder.report import Note, Skipped
from index_builder.sources.manifests.columns import ValueTyper, checked_header
from index_builder.sources.manifests.rows import Row

_BATCH_ROWS = 2_048


@dataclass(frozen=True)
class ParquetRows:
    """`ManifestRows` of a Parquet file called `name`; numbers, booleans, text, dates and lists keep their type."""

    path: Path
    name: str
    names: tuple[str, ...]
    remarks: tuple[Note, ...] = ()

    @classmethod
    def open(cls, path: Path, name: str) -> ParquetRows:
        """Read the schema. Raises GalleryInvalid, ParquetUnavailable."""
        pyarrow = _pyarrow(name)
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                names = file.schema_arrow.names
        except (OSError, pyarrow.ArrowException) as error:
            raise _unreadable(name, error) from error
        return cls(path, name, tuple(checked_header(name, names)))

    def rows(self) -> Iterator[Row | Skipped]:
        """Each row with its values. Raises GalleryInvalid."""
        pyarrow, number = _pyarrow(self.name), 0
        try:
            with pyarrow.parquet.ParquetFile(self.path) as file:
                for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
                    columns = [column.to_pylist() for column in batch.columns]
                    for cells in zip(*columns, strict=True):
                        number += 1
                        yield Row(f"{self.name}, row {number}", dict(zip(self.names, cells, strict=True)))
        except (OSError, pyarrow.ArrowException) as error:
            raise _unreadable(self.name, error) from error

    def typer(self) -> ValueTyper:
        """By the values, which have types."""
        return ValueTyper()


def _pyarrow(name: str) -> Any:
    try:
        import pyarrow  # an extra: 150 MB that a CSV manifest does not need
        import pyarrow.parquet
    except ImportError as error:
        raise ParquetUnavailable(f"{name}: reading Parquet needs pyarrow: pip install pyarrow") from error
    return pyarrow


def _unreadable(name: str, error: Exception) -> GalleryInvalid:
    return GalleryInvalid(f"{name} cannot be read as a Parquet manifest: {error}")
