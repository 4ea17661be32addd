"""A version's files against its manifest, and the manifest against the version's name."""

from __future__ import annotations

from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.errors import IndexCorrupt
from index_builder.artifact.manifest import FileEntry, IndexManifest, manifest_digest, parse_manifest
from index_builder.artifact.segments.segment import SEGMENT, SegmentManifest, read_segment
from index_builder.stores.choice import store_files


def read_manifest(folder: Path) -> IndexManifest:
    """The manifest of a version's folder, validated against the folder's name.

    Raises IndexNotFound, IndexCorrupt, IndexSchemaUnsupported.
    """
    try:
        data = (folder / layout.MANIFEST).read_bytes()
    except OSError as error:
        raise IndexCorrupt(layout.MANIFEST, expected="a readable file", actual=error.strerror or str(error)) from error
    manifest = parse_manifest(data)
    expect(f"sha256 of {layout.MANIFEST}", layout.version_digest(folder.name), manifest_digest(data))
    return manifest


def check_hashes(folder: Path, manifest: IndexManifest) -> None:
    """Compare size and hash of every file of the version and of its segments with what lists them.

    Raises IndexCorrupt, IndexSchemaUnsupported.
    """
    _check_files(folder, layout.MANIFEST, manifest.files, _needed(manifest))
    for entry in manifest.segments:
        of_segment = layout.segment_dir(folder, entry.name)
        segment = read_segment(of_segment)
        expect(f"rows of segment {entry.name}", entry.count, segment.count)
        expect(f"search index of segment {entry.name}", entry.search.factory, segment.factory)
        check_segment(of_segment, segment)


def check_segment(folder: Path, segment: SegmentManifest) -> None:
    """Compare size and hash of every file of a segment with its segment.json. Raises IndexCorrupt."""
    needed = {layout.PHOTOS, layout.VECTORS, *([layout.ANN_INDEX] if segment.factory else [])}
    _check_files(folder, SEGMENT, segment.files, needed)


def files_of(folder: Path, manifest: IndexManifest) -> list[Path]:
    """Every file that a reader of the version needs, those of its segments included."""
    own = [folder / name for name in (layout.MANIFEST, *manifest.files)]
    names = {entry.name: (SEGMENT, layout.PHOTOS, *store_files(entry.search)) for entry in manifest.segments}
    return own + [layout.segment_dir(folder, segment) / name for segment, files in names.items() for name in files]


def _needed(manifest: IndexManifest) -> set[str]:
    if not manifest.segments:
        return {layout.PHOTOS, *store_files(manifest.search)}
    return {layout.REPORT} if manifest.is_one_part else {layout.REPORT, layout.ROWS}


def _check_files(folder: Path, listed_in: str, files: dict[str, FileEntry], needed: set[str]) -> None:
    expect(f"files that {listed_in} does not list", [], sorted(needed - set(files)))
    for name, entry in files.items():
        actual = layout.hash_file(folder / name)
        expect(f"size of {name}", f"{entry.bytes} bytes", f"{actual.bytes} bytes")
        expect(f"sha256 of {name}", entry.sha256, actual.sha256)


def expect(what: str, expected: object, actual: object) -> None:
    """Raises IndexCorrupt, naming `what`, unless the two are equal."""
    if expected != actual:
        raise IndexCorrupt(what, expected=expected, actual=actual)
