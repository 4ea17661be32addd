"""The one place that turns a location into a source: a further kind of source is added here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from index_builder.errors import GalleryInvalid
from index_builder.files.store import ObjectStore, is_url
from index_builder.sources.base import PhotoSource
from index_builder.sources.exclusions import DEFAULT_PATTERNS, Exclusions
from index_builder.sources.folder import FolderSource
from index_builder.sources.manifests.formats import is_manifest
from index_builder.sources.object_store import ObjectStoreSource
from index_builder.sources.places.local import LocalPlace
from index_builder.sources.places.store import StorePlace
from index_builder.sources.table import TableSource
from index_builder.sources.tars.shards import is_tar, open_tars


def open_source(location: str | Path, *, exclude: Sequence[str] = (), follow_links: bool = False) -> PhotoSource:
    """The source at `location`: a folder of photos, a manifest (.csv, .tsv, .txt, .parquet, .jsonl, .ndjson), or tars.

    Each may be a URL of an object store. `exclude`: patterns in the form of .gitignore, of paths below the folder or
    the manifest's folder. `follow_links`: links may lead to folders and out of the gallery. Raises GalleryInvalid,
    SourceUnavailable, ParquetUnavailable.
    """
    # In this order, so that --exclude "!lost+found" brings a folder back.
    scanned = Exclusions.of((*DEFAULT_PATTERNS, *exclude), "excluded by default or by --exclude")
    # What a manifest names is meant: only what the caller excludes is left out.
    named = Exclusions.of(exclude, "--exclude")
    if is_url(str(location)):
        root, _, name = str(location).rstrip("/").rpartition("/")
        if is_manifest(name):
            return TableSource.read_url(StorePlace(ObjectStore.at(root)), name, named)
        if is_tar(name):
            return open_tars(StorePlace(ObjectStore.at(root)), name, scanned)
        return ObjectStoreSource(ObjectStore.at(str(location)), scanned)
    path = Path(location)
    if path.is_dir():
        return FolderSource.at(path, scanned, follow_links=follow_links)
    if is_tar(path.name) and path.parent.is_dir():
        return open_tars(LocalPlace(path.parent.resolve(), follow_links), path.name, scanned)
    if not path.is_file():
        raise GalleryInvalid(f"no folder and no manifest at {location}")
    return TableSource.read(path, named, follow_links=follow_links)
