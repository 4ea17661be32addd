"""Splits for pairs of one's own: which sketches teach, and which are kept apart to measure with."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from models.atomic_files import write_text
from models.data.datasets.files.tables import read_table
from models.data.datasets.records.errors import DatasetError

MANIFEST, PHOTOS = "manifest.csv", "photos.csv"


class SplitsInvalid(DatasetError):
    """The shares are no shares, or the table has splits already, or too few photos to divide."""


def write_splits(folder: Path, shares: Mapping[str, float], *, seed: int = 0, again: bool = False) -> dict[str, int]:
    """Fill the column `split` of `manifest.csv`, and of `photos.csv` where it is there; sketches in each split.

    Every sketch of a photo lands in the photo's split, and so do those of its copies (the same bytes under another
    id): else a model is measured on what it was trained on. Each category is divided by itself, and one of at least as
    many photos as there are splits has a photo in each. `shares`: split -> its part of the photos, in order.
    Equal tables, shares and seeds give equal splits. Raises SplitsInvalid, ColumnMissing, OSError.
    """
    if not shares or min(shares.values()) <= 0 or "" in shares:
        raise SplitsInvalid(f"shares are positive numbers by name, such as train=0.8 val=0.2; got {dict(shares)}")
    rows = read_table(folder / MANIFEST, ("sketch_path", "category"))
    if not rows:
        raise SplitsInvalid(f"{folder / MANIFEST} lists no sketch")
    if not again and (divided := {row["split"] for row in rows if row.get("split")}):
        known = ", ".join(sorted(divided))
        raise SplitsInvalid(f"{folder / MANIFEST} has splits already ({known}); --again replaces them")
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for position, row in enumerate(rows):
        groups[row["category"]][_content(folder, row)].append(position)
    rng = np.random.default_rng(seed)
    for category in sorted(groups):
        members = [groups[category][content] for content in sorted(groups[category])]
        for number, split in zip(rng.permutation(len(members)), deal(len(members), shares), strict=True):
            for position in members[number]:
                rows[position]["split"] = split
    counts = {split: sum(row["split"] == split for row in rows) for split in shares}
    if not all(counts.values()):
        empty = ", ".join(split for split, count in counts.items() if not count)
        raise SplitsInvalid(f"no category has enough photos to give any to {empty}; nothing was written")
    _write(folder / MANIFEST, rows)
    if (folder / PHOTOS).is_file():
        split_of = {_identity(row): row["split"] for row in rows}
        photos = read_table(folder / PHOTOS, ("photo_path", "category"))
        # A photo that nobody drew stays undivided: it belongs into the gallery of every split.
        _write(folder / PHOTOS, [{**photo, "split": split_of.get(_identity(photo), "")} for photo in photos])
    return counts


def deal(count: int, shares: Mapping[str, float]) -> list[str]:
    """`count` names of splits by their shares (largest remainders); none is left out while there is enough."""
    total = sum(shares.values())
    exact = {split: count * share / total for split, share in shares.items()}
    dealt = {split: int(number) for split, number in exact.items()}
    for split in sorted(exact, key=lambda name: dealt[name] - exact[name])[: count - sum(dealt.values())]:
        dealt[split] += 1
    if count >= len(shares):
        for split in shares:
            if not dealt[split]:
                dealt[max(dealt, key=lambda name: dealt[name])] -= 1
                dealt[split] = 1
    return [split for split, number in dealt.items() for _ in range(number)]


def _identity(row: Mapping[str, str]) -> tuple[str, str]:
    return row["category"], row.get("photo_id") or row.get("photo_path", "")


def _content(folder: Path, row: Mapping[str, str]) -> str:
    """What rows share that must not be parted: the photo's bytes; its id where it is not there, else the sketch."""
    path = folder / row.get("photo_path", "")
    if row.get("photo_path") and path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return row.get("photo_id") or row["sketch_path"]


def _write(table: Path, rows: Sequence[Mapping[str, str]]) -> None:
    columns = [*dict.fromkeys(column for row in rows for column in row if column != "split"), "split"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    write_text(table, text.getvalue())
