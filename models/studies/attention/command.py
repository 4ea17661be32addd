"""Write a folder of pictures that `inkseek evaluate --pictures` puts into its report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.data.datasets import open_dataset
from models.data.images.pair_sheet import choose_records
from models.studies.attention.pairs import pair_pictures
from models.studies.attention.students import BundleStudents, CheckpointStudents, SeeThrough
from models.studies.attention.teacher import SeenTeacher


@dataclass(frozen=True)
class Wanted:
    """`students`: a checkpoint; without it `bundle`'s, None for the shipped one. `teacher`: a run's directory."""

    data: Path
    out: Path
    split: str | None = None
    format: str = "auto"
    bundle: Path | None = None
    students: Path | None = None
    teacher: Path | None = None
    pairs: int = 6
    seed: int = 0


def draw_attention(wanted: Wanted) -> list[Path]:
    """The files written, of pairs from every category in turn.

    Raises DatasetError, SplitMissing, BundleError, CheckpointInvalid, LayoutUnknown.
    """
    dataset = open_dataset(wanted.data, wanted.format)
    if wanted.split is not None:
        dataset = dataset.split(wanted.split)
    students: SeeThrough = (
        BundleStudents.load(wanted.bundle) if wanted.students is None else CheckpointStudents.load(wanted.students)
    )
    teacher = SeenTeacher.load(wanted.teacher) if wanted.teacher is not None else None
    wanted.out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, image in pair_pictures(dataset, choose_records(dataset, wanted.pairs, wanted.seed), students, teacher):
        written.append(wanted.out / name)
        image.save(written[-1])
    return written
