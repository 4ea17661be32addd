"""Paths below a folder or in a store to photos: hidden, excluded and unusable names are left out."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, TypeAlias

from index_builder.files.stamp import FileStamp
from index_builder.report import Skipped
from index_builder.sources.base import SourcePhoto
from index_builder.sources.exclusions import Exclusions
from index_builder.sources.photo_ids import PhotoIdInvalid, category_from, photo_id_from

SkipHidden: TypeAlias = Literal["hidden", "excluded"]

HIDDEN = "hidden files and folders are not indexed"


def listed_as(path: str, exclusions: Exclusions, stamp: FileStamp | None = None) -> SourcePhoto | Skipped:
    """The photo of a file by its path, whose first folder is its category; or why the file is none by its name."""
    if path.rpartition("/")[2].startswith("."):
        return Skipped("hidden", path, HIDDEN)
    if pattern := exclusions.of_path(path, is_folder=False):
        return Skipped("excluded", path, pattern)
    try:
        photo_id = photo_id_from(path)
    except PhotoIdInvalid as error:
        return Skipped("unusable_name", path, str(error))
    return SourcePhoto(photo_id, category_from(photo_id), path, stamp=stamp)


class FolderRules:
    """Which folders of a listing without folders are left out, as a scan would leave them out."""

    def __init__(self, exclusions: Exclusions) -> None:
        """Keeps the verdicts on a few hundred folders: a store lists by path, so the next one is mostly known."""
        self._exclusions = exclusions
        self._verdict = lru_cache(maxsize=512)(self._judged)

    def fault_of(self, path: str) -> Skipped | None:
        """Why a file is left out because of a folder that it is in; None where it is not."""
        folder = path.rpartition("/")[0]
        verdict = self._verdict(folder) if folder else None
        return Skipped(verdict[0], path, verdict[1]) if verdict else None

    def _judged(self, folder: str) -> tuple[SkipHidden, str] | None:
        above = folder.rpartition("/")[0]
        if above and (verdict := self._verdict(above)):
            return verdict
        if folder.rpartition("/")[2].startswith("."):
            return "hidden", HIDDEN
        pattern = self._exclusions.of_path(folder, is_folder=True)
        return ("excluded", pattern) if pattern else None
