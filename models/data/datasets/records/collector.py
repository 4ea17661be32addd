"""Gathers what a layout's reader finds, and notes what does not fit instead of dropping it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from models.data.datasets.records.dataset import PairDataset, name_below
from models.data.datasets.records.errors import LayoutIncomplete
from models.data.datasets.records.findings import Finding, FindingKind
from models.data.datasets.records.record import LabelledSketch, Photo, PhotoKey, SketchRecord
from models.data.datasets.records.sketch_source import SketchSource


@dataclass
class Collector:
    """Takes photos first, then sketches: a sketch whose photo is unknown becomes a finding."""

    root: Path
    keep_marked: bool = False
    photos: dict[PhotoKey, Photo] = field(default_factory=dict)
    records: list[SketchRecord] = field(default_factory=list)
    labelled: list[LabelledSketch] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def note(self, kind: FindingKind, where: Path | str, detail: str) -> None:
        """Add a finding; a path is given relative to the data set's folder."""
        self.findings.append(Finding(kind, where if isinstance(where, str) else self.name_of(where), detail))

    def name_of(self, path: Path) -> str:
        """The path below the data set's folder."""
        return name_below(path, self.root)

    def add_photo(self, photo: Photo) -> None:
        """Add a photo. Of two with one key the first is kept, and the second is noted."""
        # Readers go through names in order, so which of two photos is kept does not depend on the disk.
        known = self.photos.setdefault(photo.key, photo)
        if known.path != photo.path:
            kind = FindingKind.SPLIT_LEAK if known.split != photo.split else FindingKind.DUPLICATE_ID
            self.note(kind, photo.path, f"has the identity of {self.name_of(known.path)}, which is used instead")

    def add_sketch(
        self,
        sketch: SketchSource,
        photo: PhotoKey,
        split: str,
        *,
        person: str = "",
        marks: Iterable[str] = (),
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Add a pair, if its photo was added before; a marked sketch only with `keep_marked`. Both are noted."""
        known = self.photos.get(photo)
        if known is None:
            missing = f"{photo.category}/{photo.photo_id}"
            self.note(FindingKind.MISSING_PHOTO, sketch.name, f"its photo {missing} is missing; left out")
            return
        if known.split not in ("", split):
            self.note(FindingKind.SPLIT_LEAK, sketch.name, f"is of {split!r}, its photo of {known.split!r}")
        marked = frozenset(marks)
        if self._keeps(sketch, marked):
            self.records.append(SketchRecord(sketch, photo, split, person, marked, attributes or {}))

    def add_labelled(self, sketch: LabelledSketch, marks: Iterable[str] = ()) -> None:
        """Add a sketch that has no photo; a marked one only with `keep_marked`."""
        if self._keeps(sketch.sketch, frozenset(marks)):
            self.labelled.append(sketch)

    def _keeps(self, sketch: SketchSource, marks: frozenset[str]) -> bool:
        if marks:
            fate = "kept" if self.keep_marked else "left out"
            self.note(FindingKind.MARKED, sketch.name, f"marked by the set as {', '.join(sorted(marks))}; {fate}")
        return not marks or self.keep_marked

    def build(self, name: str, format_name: str) -> PairDataset:
        """The data set. Raises LayoutIncomplete when it has neither a photo nor a labelled sketch."""
        # A layout without a photo is mostly a wrong folder; the first finding says what the reader missed.
        if not self.photos and not self.labelled:
            reason = "".join(f"; the first finding is {f.where}: {f.detail}" for f in self.findings[:1])
            raise LayoutIncomplete(f"{self.root} looks like {format_name} but holds no photo{reason}")
        return PairDataset(
            name=name,
            format=format_name,
            root=self.root,
            records=tuple(self.records),
            photos=MappingProxyType(self.photos),
            findings=tuple(sorted(self.findings)),
            labelled=tuple(self.labelled),
        )
