"""Gathers what a reader finds, and notes what does not fit instead of dropping it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from models.data.datasets.records.dataset import PairDataset, name_below
from models.data.datasets.records.errors import LayoutIncomplete
from models.data.datasets.records.findings import Finding, FindingKind
from models.data.datasets.records.record import Photo, PhotoKey, SketchRecord
from models.data.datasets.records.sketch_source import SketchSource


@dataclass
class Collector:
    """Photos first, then sketches: a sketch whose photo is unknown becomes a finding."""

    root: Path
    keep_marked: bool = False
    photos: dict[PhotoKey, Photo] = field(default_factory=dict)
    records: list[SketchRecord] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def note(self, kind: FindingKind, where: Path | str, detail: str) -> None:
        """Remember a finding; paths are given relative to the set's folder."""
        self.findings.append(Finding(kind, where if isinstance(where, str) else self.name_of(where), detail))

    def name_of(self, path: Path) -> str:
        """The path below the set's folder."""
        return name_below(path, self.root)

    def add_photo(self, photo: Photo) -> None:
        """Enter a photo; the first one keeps its identity."""
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
    ) -> None:
        """Enter a sketch of a photo that is known already."""
        known = self.photos.get(photo)
        if known is None:
            wanted = f"{photo.category}/{photo.photo_id}"
            self.note(FindingKind.MISSING_PHOTO, sketch.name, f"its photo {wanted} is not there; left out")
            return
        if known.split not in ("", split):
            self.note(FindingKind.SPLIT_LEAK, sketch.name, f"is of {split!r}, its photo of {known.split!r}")
        marked = frozenset(marks)
        if marked:
            fate = "kept" if self.keep_marked else "left out"
            self.note(FindingKind.MARKED, sketch.name, f"marked by the set as {', '.join(sorted(marked))}; {fate}")
        if not marked or self.keep_marked:
            self.records.append(SketchRecord(sketch, photo, split, person, marked))

    def build(self, name: str, format_name: str) -> PairDataset:
        """The data set. Raises LayoutIncomplete when there is not one photo."""
        if not self.photos:
            hint = f"; noticed: {self.findings[0].where}: {self.findings[0].detail}" if self.findings else ""
            raise LayoutIncomplete(f"{self.root} looks like {format_name} but holds no photo{hint}")
        return PairDataset(
            name=name,
            format=format_name,
            root=self.root,
            records=tuple(self.records),
            photos=MappingProxyType(self.photos),
            findings=tuple(sorted(self.findings)),
        )
