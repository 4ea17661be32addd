"""A folder of attention pictures, which `inkseek evaluate --pictures` puts into its report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.data.datasets import open_dataset
from models.data.images.pair_sheet import choose_records
from models.studies.attention.pairs import pair_pictures
from models.studies.attention.students import BundleStudents, CheckpointStudents, InspectedStudents
from models.studies.attention.teacher import InspectedTeacher


@dataclass(frozen=True)
class AttentionRequest:
    """`students`: a checkpoint; without it `bundle`'s, None for the default one. `teacher`: a run's directory."""

    data: Path
    out: Path
    split: str | None = None
    format: str = "auto"
    bundle: Path | None = None
    students: Path | None = None
    teacher: Path | None = None
    pairs: int = 6
    seed: int = 0


def draw_attention(request: AttentionRequest) -> list[Path]:
    """Write a picture per pair, of every category in turn -> the files.

    Raises DatasetError, SplitMissing, BundleError, CheckpointInvalid, LayoutUnknown.
    """
    dataset = open_dataset(request.data, request.format)
    if request.split is not None:
        dataset = dataset.split(request.split)
    students: InspectedStudents = (
        BundleStudents.load(request.bundle) if request.students is None else CheckpointStudents.load(request.students)
    )
    teacher = InspectedTeacher.load(request.teacher) if request.teacher is not None else None
    request.out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, image in pair_pictures(dataset, choose_records(dataset, request.pairs, request.seed), students, teacher):
        written.append(request.out / name)
        image.save(written[-1])
    return written
