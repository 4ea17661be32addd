"""What students may learn from: a fused teacher's run, or larger students, as a checkpoint or as a bundle."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from models.bundle import Bundle, Runtime, read_manifest
from models.bundle.manifest import MANIFEST_NAME
from models.errors import InkseekError
from models.networks.frozen import FrozenBundle, FrozenNetwork, FrozenStudents
from models.networks.preprocessing import preprocesses
from models.training.recipes.xmodalvit.teacher import TEACHER_NAME, load_teacher
from models.training.weights.students_file import load_students


class TeacherUnfit(InkseekError):
    """A bundle's encoders take images that are prepared in another way than training prepares them."""


def load_frozen(path: Path) -> FrozenNetwork:
    """A teacher's run directory, a bundle's, or a file with students.

    Raises CheckpointInvalid, ConfigInvalid, BundleError, TeacherUnfit.
    """
    if path.is_file():
        return FrozenStudents(load_students(path)[0])
    return _load_bundle(path) if (path / MANIFEST_NAME).is_file() else load_teacher(path)


def teacher_sha256(path: Path) -> str:
    """Of the file that `load_frozen` reads; of a bundle its id, which changes with its weights and nothing else."""
    if (path / MANIFEST_NAME).is_file():
        return hashlib.sha256(read_manifest(path).bundle_id.encode()).hexdigest()
    return hashlib.sha256((path if path.is_file() else path / TEACHER_NAME).read_bytes()).hexdigest()


def _load_bundle(path: Path) -> FrozenBundle:
    bundle = Bundle.load(path, Runtime(device="cpu", threads=torch.get_num_threads()))
    # Training shows the same pixels to teacher and students, so the bundle has to take them as they are.
    _, shown = preprocesses(bundle.photo.preprocess.size_px)
    for name, taken in (("sketch", bundle.sketch.preprocess), ("photo", bundle.photo.preprocess)):
        if (taken.size_px, taken.mean, taken.std) != (shown.size_px, shown.mean, shown.std):
            raise TeacherUnfit(
                f"the {name} encoder of {path} takes {taken.size_px} px, mean {taken.mean}, deviation {taken.std}; "
                f"training shows {shown.size_px} px, mean {shown.mean}, deviation {shown.std}"
            )
    return FrozenBundle(bundle)
