"""Whether the photos of a gallery are still where they were indexed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from index_builder.artifact.manifest import GallerySource
from index_builder.errors import SourceUnavailable
from index_builder.files.originals import StoredOriginal

Originals: TypeAlias = Literal["present", "partial", "missing", "unreadable"]
"""`present`: all that were looked at are there and may be read; `partial`: some are not there; `missing`: none is;
`unreadable`: one of them may not be read."""


_LOOKED_AT_IN_STORE = 2  # each look is a request
_LOOK_AGAIN_S = 30.0  # at a store, whose silence lasts for seconds


@dataclass(frozen=True)
class OriginalFiles:
    """Where the photos' own bytes are: below a folder or a URL, as files or as members of tars."""

    root: str
    in_tars: bool = False
    follows_links: bool = False
    _looked: dict[str, tuple[float, Originals]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def at(cls, gallery: GallerySource, root: Path | str | None = None) -> OriginalFiles:
        """Those of a gallery; `root`: where they are now, if not where they were indexed."""
        in_tars = (gallery.manifest or "").endswith(".tar")
        return cls(str(root or gallery.root), in_tars=in_tars, follows_links=gallery.follows_links)

    def of(self, path: str) -> Path | StoredOriginal | None:
        """The original at that path of a photo; None where it is not at hand, as far as this machine can tell."""
        if not path:  # it was uploaded, and never a file of the gallery
            return None
        stored = StoredOriginal.of(self.root, path, in_tars=self.in_tars)
        if stored is None:
            return original_within(Path(self.root), path, follows_links=self.follows_links)
        if "://" in self.root:
            return stored
        return stored if original_within(Path(self.root), stored.file, follows_links=self.follows_links) else None

    def state(self, paths: Sequence[str]) -> Originals:
        """What is true of the originals at `paths`, a sample of the gallery; of those in a store, of two.

        A store is looked at twice a minute at most: everybody who asks what is served asks for this.
        """
        if "://" in self.root:
            at, state = self._looked.get(self.root, (-_LOOK_AGAIN_S, "missing"))
            if time.monotonic() - at >= _LOOK_AGAIN_S:
                state = self._state_in_store(paths[:_LOOKED_AT_IN_STORE])
                self._looked[self.root] = (time.monotonic(), state)
            return state
        files = [
            path if (original := self.of(path)) is None or isinstance(original, Path) else original.file
            for path in paths
        ]
        return state_of(Path(self.root), files, follows_links=self.follows_links)

    def _state_in_store(self, paths: Sequence[str]) -> Originals:
        found = 0
        for path in paths:
            original = self.of(path)
            try:
                if isinstance(original, StoredOriginal):
                    original.size()
                    found += 1
            except FileNotFoundError:
                continue
            except (OSError, SourceUnavailable):
                return "unreadable"
        return "present" if found == len(paths) else "partial" if found else "missing"


def original_within(root: Path, path: str, *, follows_links: bool) -> Path | None:
    """The file of that path below `root`; outside of it only where links are followed. None where there is none."""
    try:
        # Resolved at each call: since the build, a file may have become a link that leaves the gallery.
        resolved_root = root.resolve()
        file = (resolved_root / path).resolve()
        inside = follows_links or file.is_relative_to(resolved_root)
        return file if inside and file.is_file() else None
    except (OSError, RuntimeError):  # a folder that may not be entered, links in a circle
        return None


def state_of(root: Path, paths: Sequence[str], *, follows_links: bool) -> Originals:
    """What is true of the files of `paths`, a sample of the gallery."""
    found = 0
    for path in paths:
        file = original_within(root, path, follows_links=follows_links)
        try:
            if file is not None:
                with file.open("rb") as opened:
                    opened.read(1)
                found += 1
            else:
                (root / path).stat()
        except PermissionError:
            return "unreadable"
        except OSError:
            continue
    return "present" if found == len(paths) else "partial" if found else "missing"
