"""Versions that arrive in an index directory: staged out of sight, checked, published by the swap of a pointer."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from index_builder.artifact import bundle_versions, layout
from index_builder.artifact.errors import IndexArtifactError
from index_builder.artifact.segments.segment import read_segment
from index_builder.artifact.transfer.contents import is_place
from index_builder.artifact.verification import check_hashes, check_segment, check_sizes, read_manifest
from models.atomic_files import sync_path


class IncomingIndex:
    """What is staged for one index directory, whose lock the caller has.

    Killed at any moment, it leaves what was published published; the next build removes what is staged.
    """

    def __init__(self, out_dir: Path) -> None:
        """Makes an empty folder for what arrives. Raises OSError."""
        self.out_dir = out_dir
        # Below `versions`, where builds look for what others left behind.
        self._staged = layout.versions_dir(out_dir) / f".restoring-{uuid.uuid4().hex[:12]}"
        for folder in (layout.versions_dir(self._staged), layout.segments_dir(self._staged)):
            folder.mkdir(parents=True)
        layout.segments_dir(out_dir).mkdir(exist_ok=True)

    def path_of(self, place: str) -> Path:
        """Where to write the file of that path, `versions/…` or `segments/…`; its folder is made. Raises OSError."""
        assert is_place(place), place
        path = self._staged / place
        path.parent.mkdir(exist_ok=True)
        return path

    def check(self) -> None:
        """Whether all that is staged is complete and fits together; hashes were compared while it was written.

        Raises IndexCorrupt, IndexSchemaUnsupported.
        """
        for version in layout.list_versions(self._staged):
            folder = layout.version_dir(self._staged, version)
            check_sizes(folder, read_manifest(folder))

    def publish(self, published: str) -> str:
        """Take every staged version over, in their order, and publish the one of that name; its name from now on.

        A version gets a number above all that are there, as from a build; one that is there already, to the byte, is
        taken as it is. Raises OSError, and whatever was published before is still published then.
        """
        for segment in sorted(layout.segments_dir(self._staged).iterdir()):
            self._take_segment(segment)
        names = {version: self._take_version(version) for version in layout.list_versions(self._staged)}
        sync_path(layout.versions_dir(self.out_dir))
        if names[published] != _published(self.out_dir):
            bundle_versions.point(self.out_dir, names[published])
        return names[published]

    def discard(self) -> None:
        """Remove what is staged and was not taken over."""
        shutil.rmtree(self._staged, ignore_errors=True)

    def _take_segment(self, staged: Path) -> None:
        place = layout.segments_dir(self.out_dir) / staged.name
        if _is_whole_segment(place):
            return
        _sync(staged)
        if place.exists():  # damaged: out of the way, and removed by the next build
            place.rename(place.with_name(f".discarded-{place.name}-{uuid.uuid4().hex[:6]}"))
        staged.rename(place)
        sync_path(place.parent)

    def _take_version(self, version: str) -> str:
        there = layout.list_versions(self.out_dir)
        for name in there:
            if layout.version_digest(name) == layout.version_digest(version) and _is_whole(self.out_dir, name):
                return name
        last = max(map(layout.version_sequence, there), default=0)
        number = max(layout.version_sequence(version), last + 1)
        name = layout.version_name(number, layout.version_digest(version))
        staged = layout.version_dir(self._staged, version)
        _sync(staged)
        staged.rename(layout.versions_dir(self.out_dir) / name)
        return name


def _sync(folder: Path) -> None:
    for file in folder.iterdir():
        sync_path(file)
    sync_path(folder)


def _is_whole_segment(folder: Path) -> bool:
    try:
        check_segment(folder, read_segment(folder))
    except IndexArtifactError:
        return False
    return True


def _is_whole(out_dir: Path, version: str) -> bool:
    folder = layout.version_dir(out_dir, version)
    try:
        check_hashes(folder, read_manifest(folder))
    except IndexArtifactError:
        return False
    return True


def _published(out_dir: Path) -> str | None:
    try:
        return layout.current_version(out_dir)
    except IndexArtifactError:
        return None
