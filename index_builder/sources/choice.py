"""The one place that turns a location into a source: a further kind of source is added here and nowhere else."""

from __future__ import annotations

from pathlib import Path

from index_builder.errors import GalleryInvalid
from index_builder.sources.base import PhotoSource
from index_builder.sources.folder import FolderSource
from index_builder.sources.table import TableSource


def open_source(location: str | Path) -> PhotoSource:
    """The source at `location`: a folder of photos, or a manifest (.csv, .parquet).

    Text may be a URL one day, which a `Path` cannot hold. Raises GalleryInvalid, ParquetUnavailable.
    """
    path = Path(location)
    if path.is_dir():
        return FolderSource.at(path)
    if not path.is_file():
        raise GalleryInvalid(f"no folder and no manifest at {location}")
    return TableSource.read(path)
