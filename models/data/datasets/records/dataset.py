"""The one shape that every format is read into: pairs, the full gallery, and what was noticed on the way."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from models.data.datasets.records.errors import DatasetFlawed, SplitMissing
from models.data.datasets.records.findings import Finding, summarise
from models.data.datasets.records.record import Photo, PhotoKey, SketchRecord


@dataclass(frozen=True)
class Count:
    """How many sketches, photos that they were drawn from, photos in that split's gallery, and known people."""

    sketches: int
    drawn_photos: int
    photos: int
    people: int


@dataclass(frozen=True)
class PairDataset:
    """A data set as it lies on disk. `records` in order of their names; `photos` are the full gallery, by key."""

    name: str
    format: str
    root: Path
    records: tuple[SketchRecord, ...]
    photos: Mapping[PhotoKey, Photo]
    findings: tuple[Finding, ...]

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that sketches or photos belong to, train first."""
        names = {record.split for record in self.records} | {photo.split for photo in self.photos.values()} - {""}
        return tuple(sorted(names, key=lambda name: (not name.startswith("train"), name)))

    @property
    def categories(self) -> tuple[str, ...]:
        """All categories, those without sketches too, in alphabetical order."""
        return tuple(sorted({key.category for key in self.photos}))

    @property
    def flaws(self) -> tuple[Finding, ...]:
        """The findings that strict reading refuses."""
        return tuple(finding for finding in self.findings if finding.is_flaw)

    def photo_of(self, record: SketchRecord) -> Photo:
        """The photo that the sketch was drawn from: always there."""
        return self.photos[record.photo]

    def split(self, name: str) -> PairDataset:
        """The records of one split and its gallery; the findings stay the whole set's. Raises SplitMissing."""
        if name not in self.splits:
            raise SplitMissing(f"{self.name} has no split {name!r}; it has {', '.join(self.splits) or 'none'}")
        records = tuple(record for record in self.records if record.split == name)
        return dataclasses.replace(self, records=records, photos=MappingProxyType(self._gallery(name)))

    def records_of(self, split: str) -> tuple[SketchRecord, ...]:
        """The pairs of one split, never none. Raises SplitMissing, where only photos have the split too."""
        chosen = tuple(record for record in self.records if record.split == split)
        if not chosen:
            there = ", ".join(sorted({record.split for record in self.records})) or "no sketches"
            raise SplitMissing(f"{self.name} has no sketches of a split {split!r}; it has {there}")
        return chosen

    def _gallery(self, split: str) -> dict[PhotoKey, Photo]:
        """The split's photos: its own, those of its sketches, and undivided ones of its sketches' categories.

        Undivided photos of a category without any sketch are in every gallery.
        """
        drawn = {record.photo for record in self.records if record.split == split}
        own = {key.category for key in drawn}
        elsewhere = {record.photo.category for record in self.records} - own
        return {
            key: photo
            for key, photo in self.photos.items()
            if key in drawn or photo.split == split or (not photo.split and key.category not in elsewhere)
        }

    def counts(self) -> dict[tuple[str, str], Count]:
        """(split, category) -> Count, in the order of `splits` and `categories`; without what is empty.

        A set without any split is counted under the empty name.
        """
        counts: dict[tuple[str, str], Count] = {}
        for split in self.splits or ("",):
            gallery = Counter(key.category for key in self._gallery(split))
            sketches: dict[str, list[SketchRecord]] = defaultdict(list)
            for record in self.records:
                if record.split == split:
                    sketches[record.photo.category].append(record)
            for category in sorted(gallery):
                counts[split, category] = Count(
                    sketches=len(sketches[category]),
                    drawn_photos=len({record.photo for record in sketches[category]}),
                    photos=gallery[category],
                    people=len({record.person for record in sketches[category]} - {""}),
                )
        return counts

    @property
    def headline(self) -> str:
        """The whole set in a line."""
        drawn = len({record.photo for record in self.records})
        kinds = len(self.categories)
        return (
            f"{self.name} ({self.format}): {len(self.records):,} sketches of {drawn:,} photos, "
            f"{len(self.photos):,} photos in all, {kinds:,} {'category' if kinds == 1 else 'categories'}"
        )

    def summary(self) -> str:
        """The headline and one line a split, for a log."""
        lines = [self.headline]
        counts = self.counts()
        for name in self.splits:
            of = [count for (split, _), count in counts.items() if split == name]
            lines.append(
                f"  {name}: {sum(c.sketches for c in of):,} sketches of {sum(c.drawn_photos for c in of):,} photos, "
                f"{sum(c.photos for c in of):,} photos to find them among"
            )
        if self.findings:
            lines.append(f"  noticed: {summarise(self.findings)}")
        return "\n".join(lines)

    def require_flawless(self) -> None:
        """Raise DatasetFlawed when anything but the set's own marks was noticed."""
        if self.flaws:
            first = self.flaws[0]
            raise DatasetFlawed(f"{self.name}: {summarise(self.flaws)}; the first is {first.where}: {first.detail}")

    def with_findings(self, findings: Iterable[Finding]) -> PairDataset:
        """The same set with more findings, duplicates of known ones left out."""
        return dataclasses.replace(self, findings=tuple(sorted({*self.findings, *findings})))

    def usable(self) -> PairDataset:
        """The set without what its findings call unreadable or without ink; the findings stay."""
        bad = {finding.where for finding in self.findings if finding.is_unusable}
        photos = {key: photo for key, photo in self.photos.items() if self.photo_name(photo) not in bad}
        records = tuple(r for r in self.records if r.sketch.name not in bad and r.photo in photos)
        return dataclasses.replace(self, records=records, photos=MappingProxyType(photos))

    def photo_name(self, photo: Photo) -> str:
        """The photo's path below the set's folder: what findings call it."""
        return name_below(photo.path, self.root)


def name_below(path: Path, root: Path) -> str:
    """`path` relative to `root` with forward slashes; the path itself when it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
