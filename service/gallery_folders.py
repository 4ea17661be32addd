"""Where the index directory of each named gallery lies: in one folder, or wherever a mapping says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from index_builder.artifact import IndexArtifactError, IndexNotFound
from index_builder.artifact.layout import current_version

DEFAULT_GALLERY = "default"
NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,62}"  # one path segment everywhere: no dot, no slash, no upper case

_NAME = re.compile(NAME_PATTERN)


def is_gallery_name(text: str) -> bool:
    """Whether a gallery may be called that."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True)
class GalleryFolders:
    """The index directories by name. Those below `root` are looked up anew each time, those `named` are fixed."""

    root: Path | None = None
    named: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> GalleryFolders:
        """A folder whose subfolders are index directories, or `NAME=DIRECTORY,NAME=DIRECTORY`; none for "".

        Raises ValueError.
        """
        if not text:
            return cls()
        if "=" not in text:
            return cls(root=Path(text))
        named: dict[str, Path] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, folder = part.partition("=")
            if not is_gallery_name(name) or not folder:
                raise ValueError(f"{part!r} is not NAME=DIRECTORY with a name like {NAME_PATTERN}")
            if name in named:
                raise ValueError(f"the gallery {name!r} is there twice")
            named[name] = Path(folder)
        return cls(named=named)

    @property
    def default(self) -> Path | None:
        """Where the default gallery lies unless it is named otherwise; None when a mapping leaves it out."""
        return self.named.get(DEFAULT_GALLERY) if self.root is None else self.root / DEFAULT_GALLERY

    def folder(self, name: str) -> Path | None:
        """The index directory of a gallery; None when there is no gallery of that name. Reads the disk."""
        if not is_gallery_name(name):
            return None
        if self.root is None:
            return self.named.get(name)
        folder = self.root / name
        return folder if _has_index(folder) else None

    def names(self) -> list[str]:
        """The galleries there are, by name. Reads the disk."""
        if self.root is None:
            return sorted(self.named)
        try:
            entries = sorted(entry.name for entry in self.root.iterdir())
        except OSError:  # not made yet, or gone: there are none now
            return []
        return [name for name in entries if self.folder(name) is not None]


def _has_index(folder: Path) -> bool:
    try:
        current_version(folder)
    except IndexNotFound:  # nothing was published yet: a first build may be in progress
        return False
    except IndexArtifactError:  # published and damaged: it is there, and opening it says what is wrong
        pass
    return True
