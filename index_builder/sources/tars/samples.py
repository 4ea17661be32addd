"""Photos of tars as rows of a manifest: `KEY.json` beside `KEY.jpg` holds its columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, BinaryIO

from index_builder.files.members import TarMember
from index_builder.report import Note, Skipped
from index_builder.sources.exclusions import Exclusions
from index_builder.sources.manifests.columns import CATEGORY, PATH, PHOTO_ID, ValueTyper
from index_builder.sources.manifests.json_rows import json_cells
from index_builder.sources.manifests.rows import Row
from index_builder.sources.naming import FolderRules, listed_as
from index_builder.sources.snapshot import Scratch
from index_builder.sources.tars.entries import TarEntry

_ANNOTATIONS = frozenset({"json", "txt", "cls", "caption", "id", "index", "npy", "npz"})
_LARGEST_JSON = 2**20


def key_of(name: str) -> str:
    """What the files of a sample share: their names without what follows the last dot."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + (last.rpartition(".")[0] or last)


def rows_of(tar: str, file: BinaryIO, entries: Iterable[TarEntry], exclusions: Exclusions) -> Iterator[Row | Skipped]:
    """A row for each photo of a tar, or why it is none. Files of a sample follow each other. Raises OSError."""
    rules = FolderRules(exclusions)
    for _, sample in groupby(entries, key=lambda entry: key_of(entry.name)):
        files = list(sample)
        cells: dict[str, Any] = {}
        for entry in files:
            if entry.name.endswith(".json") and len(files) > 1:
                try:
                    cells = json_cells(_content(file, entry))
                except ValueError as error:
                    yield Skipped("bad_row", f"{tar}/{entry.name}", f"the metadata of a photo: {error}")
        for entry in files:
            name = entry.name.removeprefix("./")
            if name.rpartition(".")[2].lower() in _ANNOTATIONS:
                continue
            listed = rules.fault_of(name) or listed_as(name, exclusions)
            if isinstance(listed, Skipped):
                yield Skipped(listed.reason, f"{tar}/{listed.path}", listed.detail)
                continue
            own = {
                PHOTO_ID: cells.get(PHOTO_ID) or listed.photo_id,
                CATEGORY: listed.category if cells.get(CATEGORY) is None else cells[CATEGORY],
                PATH: TarMember(tar, entry.offset, entry.bytes).path,
            }
            yield Row(f"{tar}/{name}", {**cells, **own})


def _content(file: BinaryIO, entry: TarEntry) -> bytes:
    if entry.bytes > _LARGEST_JSON:
        raise ValueError(f"{entry.bytes:,} bytes; at most {_LARGEST_JSON:,} are read")
    at = file.tell()
    file.seek(entry.offset)
    data = file.read(entry.bytes)
    file.seek(at)  # whoever lists the entries goes on from here
    return data


@dataclass(frozen=True)
class SampleRows:
    """`ManifestRows` of tars: their rows were written down, so that no tar is gone through twice."""

    written: Scratch
    names: tuple[str, ...] = ()
    remarks: tuple[Note, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[Row | Skipped]) -> SampleRows:
        """Go through the rows once. Raises what they raise."""
        written = Scratch.new()
        with written.path.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps([isinstance(row, Row), *_plain(row)]) + "\n")
        return cls(written)

    def rows(self) -> Iterator[Row | Skipped]:
        """Each row again, in order."""
        with self.written.path.open(encoding="utf-8") as lines:
            for line in lines:
                is_row, *members = json.loads(line)
                yield Row(*members) if is_row else Skipped(*members)

    def typer(self) -> ValueTyper:
        """As that of JSON lines."""
        return ValueTyper(text_dates=True)


def _plain(row: Row | Skipped) -> tuple[Any, ...]:
    return tuple(row) if isinstance(row, Row) else (row.reason, row.path, row.detail)
