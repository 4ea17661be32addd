"""The one place that turns a location into a source: a further kind of source is added here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from index_builder.errors import GalleryInvalid
from index_builder.sources.base import PhotoSource
from index_builder.sources.exclusions import DEFAULT_PATTERNS, Exclusions
from index_builder.sources.folder import FolderSource
from index_builder.sources.table import TableSource


def open_source(location: str | Path, *, exclude: Sequence[str] = (), follow_links: bool = False) -> PhotoSource:
    """The source at `location`: a folder of photos, or a manifest (.csv, .tsv, .txt, .parquet).

    `exclude`: patterns in the form of .gitignore, of paths below the folder or the manifest's folder. `follow_links`:
    links may lead to folders and out of the gallery. Text may be a URL one day, which a `Path` cannot hold. Raises
    GalleryInvalid, ParquetUnavailable.
    """
    path = Path(location)
    if path.is_dir():
        # In this order, so that --exclude "!lost+found" brings a folder back.
        exclusions = Exclusions.of((*DEFAULT_PATTERNS, *exclude), "excluded by default or by --exclude")
        return FolderSource.at(path, exclusions, follow_links=follow_links)
    if not path.is_file():
        raise GalleryInvalid(f"no folder and no manifest at {location}")
    # What a manifest names is meant: only what the caller excludes is left out.
    return TableSource.read(path, Exclusions.of(exclude, "--exclude"), follow_links=follow_links)
