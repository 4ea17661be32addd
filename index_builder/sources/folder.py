"""The photos to index: from a folder, or from a manifest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from index_builder.artifact.manifest import MetadataField
from index_builder.artifact.photo_store import MetadataValue
from index_builder.errors import GalleryInvalid
from index_builder.report import Report
from index_builder.sources.photo_ids import PhotoIdInvalid, category_from, photo_id_from
from index_builder.sources.table import ManifestTable, read_csv, read_parquet


@dataclass(frozen=True, slots=True)
class GalleryPhoto:
    """A file that may be a photo: `path` below the gallery's root, metadata in the order of the gallery's fields."""

    photo_id: str
    category: str
    path: str
    metadata: tuple[MetadataValue, ...] = ()


@dataclass(frozen=True)
class Gallery:
    """Photos in the order of their ids, which is the order of rows. `manifest` is the manifest's file name, if any."""

    root: Path
    photos: tuple[GalleryPhoto, ...]
    fields: tuple[MetadataField, ...] = ()
    manifest: str | None = None


def open_gallery(source: Path, report: Report) -> Gallery:
    """A folder of photos, or a manifest (.csv, .parquet). What cannot be indexed goes to `report`.

    Raises GalleryInvalid, ParquetUnavailable.
    """
    if source.is_dir():
        root = source.resolve()
        return Gallery(root, _by_id(_scan(root, report), report))
    if not source.is_file():
        raise GalleryInvalid(f"no folder and no manifest at {source}")
    readers = {".csv": read_csv, ".parquet": read_parquet}
    reader = readers.get(source.suffix.lower())
    if reader is None:
        raise GalleryInvalid(f"{source} is neither a folder nor a manifest ({' or '.join(readers)})")
    table = reader(source, report)
    root = source.parent.resolve()
    return Gallery(root, _by_id(_listed(root, table, report), report), table.fields, source.name)


def _scan(root: Path, report: Report) -> Iterator[GalleryPhoto]:
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            report.skip("unreadable", folder.relative_to(root).as_posix(), error.strerror or str(error))
            continue
        for entry in entries:
            path = Path(entry.path)
            relative = path.relative_to(root).as_posix()
            if entry.name.startswith("."):
                report.skip("hidden", relative, "hidden files and folders are not indexed")
            elif entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif entry.is_file(follow_symlinks=False) or _is_photo_file(root, path, relative, report):
                photo = _identify(relative, report)
                if photo is not None:
                    yield photo


def _identify(relative: str, report: Report) -> GalleryPhoto | None:
    try:
        photo_id = photo_id_from(relative)
    except PhotoIdInvalid as error:
        report.skip("unusable_name", relative, str(error))
        return None
    return GalleryPhoto(photo_id, category_from(photo_id), relative)


def _listed(root: Path, table: ManifestTable, report: Report) -> Iterator[GalleryPhoto]:
    for row in table.rows:
        path = Path(row.photo_path)
        if path.is_absolute() or ".." in path.parts:
            report.skip("outside_gallery", row.photo_path, "paths are relative to the manifest, without '..'")
            continue
        relative = path.as_posix()
        try:
            photo_id = photo_id_from(row.photo_id or relative)
        except PhotoIdInvalid as error:
            report.skip("unusable_name", relative, str(error))
            continue
        if _is_photo_file(root, root / path, relative, report, photo_id):
            category = category_from(relative) if row.category is None else row.category
            yield GalleryPhoto(photo_id, category, relative, row.metadata)


def _is_photo_file(root: Path, path: Path, relative: str, report: Report, photo_id: str | None = None) -> bool:
    """Whether `path` is a regular file inside the gallery; says why not to the report."""
    try:
        resolved = path.resolve(strict=True)
        if not resolved.is_relative_to(root):
            report.skip("outside_gallery", relative, "a link that leaves the gallery's folder", photo_id)
            return False
        if resolved.is_file():
            return True
        report.skip("not_a_file", relative, "not a regular file", photo_id)
    except FileNotFoundError:
        report.skip("missing", relative, "no such file (or a link to nothing)", photo_id)
    except (OSError, ValueError, RuntimeError) as error:  # no permission, NUL in the name, links in a circle
        report.skip("unreadable", relative, str(error), photo_id)
    return False


def _by_id(photos: Iterable[GalleryPhoto], report: Report) -> tuple[GalleryPhoto, ...]:
    found: dict[str, GalleryPhoto] = {}
    for photo in photos:
        if photo.photo_id in found:
            first = found[photo.photo_id].path
            report.skip("duplicate_id", photo.path, f"{first} has this id already", photo.photo_id)
        else:
            found[photo.photo_id] = photo
    return tuple(found[photo_id] for photo_id in sorted(found))
