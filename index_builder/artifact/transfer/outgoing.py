"""Versions that are being copied: held, so that no build removes them meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from index_builder.artifact import layout
from index_builder.artifact.errors import IndexCorrupt, IndexNotFound
from index_builder.artifact.segments.hold import VersionHold
from index_builder.artifact.transfer.contents import VersionContents, contents_of

_TRIES = 5  # builds that publish and clean up while the pointer is read


@dataclass(frozen=True)
class OutgoingIndex:
    """Versions of one index, oldest first; `published` is one of them."""

    folder: Path
    published: str
    versions: tuple[VersionContents, ...]


@contextmanager
def outgoing_index(out_dir: Path, *, every_version: bool = False) -> Iterator[OutgoingIndex]:
    """The published version, or every complete one, which stay on the disk until the block is left.

    Raises IndexNotFound, IndexCorrupt, IndexSchemaUnsupported.
    """
    published, holds = _held(out_dir, every_version=every_version)
    try:

        def read(path: str) -> bytes:
            try:
                return (out_dir / path).read_bytes()
            except OSError as error:
                raise IndexCorrupt(path, expected="a readable file", actual=error.strerror or str(error)) from error

        yield OutgoingIndex(out_dir, published, tuple(contents_of(version, read) for version in holds))
    finally:
        for hold in holds.values():
            hold.release()


def _held(out_dir: Path, *, every_version: bool) -> tuple[str, dict[str, VersionHold]]:
    """The published version, and a hold on each that is wanted, by name. Raises as `outgoing_index`."""
    for left in reversed(range(_TRIES)):
        published = layout.current_version(out_dir)
        holds: dict[str, VersionHold] = {}
        try:
            for version in layout.list_versions(out_dir) if every_version else [published]:
                holds[version] = VersionHold.of(layout.version_dir(out_dir, version))
        except (IndexNotFound, IndexCorrupt):
            for hold in holds.values():
                hold.release()
            if not left:
                raise
        else:
            if published in holds:
                return published, holds
            raise IndexNotFound(f"the published version {published} of {out_dir} is not there")
    raise AssertionError("the last try returns or raises")
