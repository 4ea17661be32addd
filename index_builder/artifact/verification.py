"""A version's files against its manifest, and the manifest against the version's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.errors import IndexCorrupt
from index_builder.artifact.manifest import FileEntry, IndexManifest, manifest_digest, parse_manifest
from index_builder.artifact.segments.checked_files import CheckedFiles
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


def check_hashes(
    folder: Path, manifest: IndexManifest, checked: CheckedFiles | None = None, *, vectors: bool = True
) -> None:
    """Compare size and hash of every file of the version and of its segments with what lists them.

    `checked`: files that were hashed before and need not be read again. `vectors`: whether those of segments are to be
    there; where Milvus has them, a reader needs none. Raises IndexCorrupt, IndexSchemaUnsupported.
    """
    entry_of = layout.hash_file if checked is None else checked.entry_of
    _check_files(folder, layout.MANIFEST, manifest.files, _needed(manifest), entry_of)
    for of_segment, segment in _segments(folder, manifest):
        _check_files(of_segment, SEGMENT, *_read_of(segment, vectors=vectors), entry_of)


def check_sizes(folder: Path, manifest: IndexManifest, *, vectors: bool = True) -> None:
    """Compare names and sizes of all files, none of which is read: what a copy that was cut short fails at once.

    `vectors`: see `check_hashes`. Raises IndexCorrupt, IndexSchemaUnsupported.
    """
    _check_sizes(folder, layout.MANIFEST, manifest.files, _needed(manifest))
    for of_segment, segment in _segments(folder, manifest):
        _check_sizes(of_segment, SEGMENT, *_read_of(segment, vectors=vectors))


def check_segment(folder: Path, segment: SegmentManifest) -> None:
    """Compare size and hash of every file of a segment with its segment.json. Raises IndexCorrupt."""
    _check_files(folder, SEGMENT, *_read_of(segment, vectors=True), layout.hash_file)


def files_of(folder: Path, manifest: IndexManifest, *, vectors: bool = True) -> list[Path]:
    """Every file that a reader of the version needs, those of its segments included; `vectors`: see `check_hashes`."""
    own = [folder / name for name in (layout.MANIFEST, *manifest.files)]
    names = {
        entry.name: (SEGMENT, layout.PHOTOS, *(store_files(entry.search) if vectors else ()))
        for entry in manifest.segments
    }
    return own + [layout.segment_dir(folder, segment) / name for segment, files in names.items() for name in files]


def _needed(manifest: IndexManifest) -> set[str]:
    if not manifest.segments:
        return {layout.PHOTOS, *store_files(manifest.search)}
    return {layout.REPORT} if manifest.is_one_part else {layout.REPORT, layout.ROWS}


def _segments(folder: Path, manifest: IndexManifest) -> Iterator[tuple[Path, SegmentManifest]]:
    """Folder and segment.json of each segment, the two of which fit what the version says of it."""
    for entry in manifest.segments:
        of_segment = layout.segment_dir(folder, entry.name)
        segment = read_segment(of_segment)
        expect(f"rows of segment {entry.name}", entry.count, segment.count)
        expect(f"search index of segment {entry.name}", entry.search.factory, segment.factory)
        yield of_segment, segment


def _read_of(segment: SegmentManifest, *, vectors: bool) -> tuple[dict[str, FileEntry], set[str]]:
    """The files of a segment that are compared, and the names of those that it has to list."""
    of_vectors = {layout.VECTORS, *([layout.ANN_INDEX] if segment.factory else [])}
    if vectors:
        return segment.files, {layout.PHOTOS, *of_vectors}
    return {name: entry for name, entry in segment.files.items() if name not in of_vectors}, {layout.PHOTOS}


def _check_files(
    folder: Path,
    listed_in: str,
    files: dict[str, FileEntry],
    needed: set[str],
    entry_of: Callable[[Path], FileEntry],
) -> None:
    expect(f"files that {listed_in} does not list", [], sorted(needed - set(files)))
    for name, entry in files.items():
        actual = entry_of(folder / name)
        expect(f"size of {name}", f"{entry.bytes} bytes", f"{actual.bytes} bytes")
        expect(f"sha256 of {name}", entry.sha256, actual.sha256)


def _check_sizes(folder: Path, listed_in: str, files: dict[str, FileEntry], needed: set[str]) -> None:
    expect(f"files that {listed_in} does not list", [], sorted(needed - set(files)))
    for name, entry in files.items():
        try:
            size = (folder / name).stat().st_size
        except OSError as error:
            raise IndexCorrupt(name, expected="a readable file", actual=error.strerror or str(error)) from error
        expect(f"size of {name}", f"{entry.bytes} bytes", f"{size} bytes")


def expect(what: str, expected: object, actual: object) -> None:
    """Raises IndexCorrupt, naming `what`, unless the two are equal."""
    if expected != actual:
        raise IndexCorrupt(what, expected=expected, actual=actual)
