"""A version's files against its manifest, and the manifest against the version's name."""

from __future__ import annotations

from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.errors import IndexCorrupt
from index_builder.artifact.manifest import IndexManifest, manifest_digest, parse_manifest
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
    """Compare size and hash of every file of the version with the manifest. Raises IndexCorrupt."""
    needed = {layout.PHOTOS, *store_files(manifest.search)}
    expect(f"files that {layout.MANIFEST} does not list", [], sorted(needed - set(manifest.files)))
    for name, entry in manifest.files.items():
        actual = layout.hash_file(folder / name)
        expect(f"size of {name}", f"{entry.bytes} bytes", f"{actual.bytes} bytes")
        expect(f"sha256 of {name}", entry.sha256, actual.sha256)


def expect(what: str, expected: object, actual: object) -> None:
    """Raises IndexCorrupt, naming `what`, unless the two are equal."""
    if expected != actual:
        raise IndexCorrupt(what, expected=expected, actual=actual)
