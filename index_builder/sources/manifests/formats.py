"""Which format a manifest has, by the end of its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from index_builder.errors import GalleryInvalid
from index_builder.sources.manifests.json_rows import JsonRows
from index_builder.sources.manifests.parquet_rows import ParquetRows
from index_builder.sources.manifests.rows import ManifestRows
from index_builder.sources.manifests.text_rows import TextRows

FORMATS: dict[str, Callable[[Path, str], ManifestRows]] = {
    ".csv": TextRows.open,
    ".tsv": TextRows.open,
    ".txt": TextRows.open,
    ".parquet": ParquetRows.open,
    ".jsonl": JsonRows.open,
    ".ndjson": JsonRows.open,
}
"""File extension -> what opens a manifest of that kind; a further format is added here and nowhere else."""


def is_manifest(name: str) -> bool:
    """Whether a file of that name is taken for a manifest."""
    return Path(name).suffix.lower() in FORMATS


def open_rows(path: Path, name: str) -> ManifestRows:
    """Open a manifest; `name`: what messages call it. Raises GalleryInvalid, ParquetUnavailable."""
    reader = FORMATS.get(Path(name).suffix.lower())
    if reader is None:
        raise GalleryInvalid(f"{name} is neither a folder nor a manifest ({' or '.join(FORMATS)})")
    return reader(path, name)
