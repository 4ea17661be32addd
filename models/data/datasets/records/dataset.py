"""The one shape that every layout is read into: pairs, labelled sketches, the gallery, and the findings of reading."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from models.data.datasets.records.errors import DatasetFlawed, SplitMissing
from models.data.datasets.records.findings import Finding, summarise
from models.data.datasets.records.record import LabelledSketch, Photo, PhotoKey, SketchRecord


@dataclass(frozen=True)
class Count:
    """Sizes of one category in one split.

    `sketches` with a photo, the `drawn_photos` that they show, `photos` in the split's gallery, known `people`, and
    `labelled` sketches without a photo.
    """

    sketches: int
    drawn_photos: int
    photos: int
    people: int
    labelled: int


@dataclass(frozen=True)
class PairDataset:
    """A data set as it lies on disk; nothing in it was decoded yet.

    `records`: the pairs, in the order of the layout's table or names. `photos`: the full gallery by key, distractors
    too; a data set of photos alone has no records. `labelled`: sketches that have a category and no photo.
    """

    name: str
    format: str
    root: Path
    records: tuple[SketchRecord, ...]
    photos: Mapping[PhotoKey, Photo]
    findings: tuple[Finding, ...]
    labelled: tuple[LabelledSketch, ...] = ()

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that sketches or photos belong to, those that begin with `train` first, then by name."""
        names = {photo.split for photo in self.photos.values()} | {sketch.split for sketch in self.sketches}
        # The empty name means undivided, which is in every split and is none itself.
        names -= {""}
        return tuple(sorted(names, key=lambda name: (not name.startswith("train"), name)))

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of photos and of labelled sketches, in alphabetical order."""
        # Sorted, because a set of strings has another order in every process.
        return tuple(sorted({key.category for key in self.photos} | {item.category for item in self.labelled}))

    @property
    def people(self) -> frozenset[str]:
        """The artists that the data set names."""
        return frozenset(sketch.person for sketch in self.sketches) - {""}

    @property
    def sketches(self) -> tuple[SketchRecord | LabelledSketch, ...]:
        """All sketches, those with a photo first."""
        return (*self.records, *self.labelled)

    @property
    def image_count(self) -> int:
        """How many images `check_content` decodes: photos and sketches."""
        return len(self.photos) + len(self.sketches)

    @property
    def flaws(self) -> tuple[Finding, ...]:
        """The findings that strict reading rejects."""
        return tuple(finding for finding in self.findings if finding.is_flaw)

    def photo_of(self, record: SketchRecord) -> Photo:
        """The photo that the sketch was drawn from. It is in the gallery of every split that has the record."""
        return self.photos[record.photo]

    def split(self, name: str) -> PairDataset:
        """One split: its records, its gallery and its labelled sketches; the findings stay those of the whole set.

        The gallery holds the split's photos, those of its sketches, and undivided photos of its sketches' categories or
        of categories that no split has a sketch of. Raises SplitMissing.
        """
        if name not in self.splits:
            advice = f"it has {', '.join(self.splits)}" if self.splits else "`inkseek data split` makes some"
            raise SplitMissing(f"{self.name} has no split {name!r}; {advice}")
        return dataclasses.replace(
            self,
            records=tuple(record for record in self.records if record.split == name),
            # A frozen data class does not keep its dictionary from being changed; the proxy does.
            photos=MappingProxyType(self._gallery(name)),
            labelled=self._labelled_in(name),
        )

    def records_of(self, split: str) -> tuple[SketchRecord, ...]:
        """The pairs of one split, never none. Raises SplitMissing, where only photos have the split too."""
        chosen = tuple(record for record in self.records if record.split == split)
        if not chosen:
            there = ", ".join(sorted({record.split or "no split" for record in self.records})) or "no sketches"
            advice = "" if self.splits else "; `inkseek data split` makes some"
            advice = advice or "; `inkseek data split --again` divides your own pairs anew"
            raise SplitMissing(f"{self.name} has no sketches of a split {split!r}; it has {there}{advice}")
        return chosen

    def _gallery(self, split: str) -> dict[PhotoKey, Photo]:
        drawn = {record.photo for record in self.records if record.split == split}
        own = {key.category for key in drawn}
        # Distractors of categories that only other splits draw would make this split's search harder by chance.
        elsewhere = {record.photo.category for record in self.records} - own
        return {
            key: photo
            for key, photo in self.photos.items()
            if key in drawn or photo.split == split or (not photo.split and key.category not in elsewhere)
        }

    def _labelled_in(self, split: str) -> tuple[LabelledSketch, ...]:
        return tuple(item for item in self.labelled if item.split in ("", split))

    def counts(self) -> dict[tuple[str, str], Count]:
        """(split, category) -> Count, in the order of `splits` and `categories`; without what is empty.

        A data set without any split is counted under the empty name.
        """
        counts: dict[tuple[str, str], Count] = {}
        for split in self.splits or ("",):
            photos = Counter(key.category for key in self._gallery(split))
            labelled: dict[str, list[LabelledSketch]] = defaultdict(list)
            for item in self._labelled_in(split):
                labelled[item.category].append(item)
            drawn: dict[str, list[SketchRecord]] = defaultdict(list)
            for record in self.records:
                if record.split == split:
                    drawn[record.photo.category].append(record)
            for category in sorted(photos.keys() | labelled.keys()):
                people = {record.person for record in drawn[category]} | {item.person for item in labelled[category]}
                counts[split, category] = Count(
                    sketches=len(drawn[category]),
                    drawn_photos=len({record.photo for record in drawn[category]}),
                    photos=photos[category],
                    people=len(people - {""}),
                    labelled=len(labelled[category]),
                )
        return counts

    @property
    def headline(self) -> str:
        """The whole data set in one line, for a log or a title."""
        drawn = len({record.photo for record in self.records})
        size = Count(len(self.records), drawn, len(self.photos), len(self.people), len(self.labelled))
        categories = len(self.categories)
        noun = "category" if categories == 1 else "categories"
        return f"{self.name} ({self.format}): {_sketches(size)}, {size.photos:,} photos in all, {categories:,} {noun}"

    def summary(self) -> str:
        """The headline, one line per split, and the number of findings by kind."""
        lines = [self.headline]
        counts = self.counts()
        for name in self.splits:
            of = [count for (split, _), count in counts.items() if split == name]
            sums = Count(*(sum(column) for column in zip(*map(dataclasses.astuple, of), strict=True)))
            lines.append(f"  {name}: {_sketches(sums)}, {sums.photos:,} photos in its gallery")
        if self.findings:
            lines.append(f"  findings: {summarise(self.findings)}")
        return "\n".join(lines)

    def require_flawless(self) -> None:
        """Raise DatasetFlawed when there is a finding beyond what the data set says of itself."""
        if self.flaws:
            first = self.flaws[0]
            raise DatasetFlawed(f"{self.name}: {summarise(self.flaws)}; the first is {first.where}: {first.detail}")

    def with_findings(self, findings: Iterable[Finding]) -> PairDataset:
        """The same data set with more findings, in order, each once."""
        return dataclasses.replace(self, findings=tuple(sorted({*self.findings, *findings})))

    def usable(self) -> PairDataset:
        """The data set without what its findings call unreadable or without ink; the findings stay.

        A sketch goes with its photo.
        """
        bad = {finding.where for finding in self.findings if finding.is_unusable}
        photos = {key: photo for key, photo in self.photos.items() if self.photo_name(photo) not in bad}
        return dataclasses.replace(
            self,
            records=tuple(r for r in self.records if r.sketch.name not in bad and r.photo in photos),
            photos=MappingProxyType(photos),
            labelled=tuple(item for item in self.labelled if item.sketch.name not in bad),
        )

    def photo_name(self, photo: Photo) -> str:
        """The photo's path below the data set's folder: its name in findings."""
        return name_below(photo.path, self.root)


def name_below(path: Path, root: Path) -> str:
    """`path` relative to `root` with forward slashes; the path itself when it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _sketches(count: Count) -> str:
    """`3 sketches of 2 photos`, `5 sketches without a photo`, or both; what there is none of is not mentioned."""
    parts = [f"{count.sketches:,} sketches of {count.drawn_photos:,} photos"] if count.sketches else []
    parts += [f"{count.labelled:,} sketches without a photo"] if count.labelled else []
    return ", ".join(parts) or "no sketches"
