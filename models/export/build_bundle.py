"""A checkpoint to a bundle: export both students, hold them against torch, measure them, write the model card.

The bundle can be taught categories by what carries over from the shipped one's adaptation; `inkseek train adapt` learns
one for it, and `inkseek bundle add-adaptation` puts that into its place.

python -m models.export.build_bundle --checkpoint RUN/checkpoint.pt --card CARD.md --data DIR --out DIR --name NAME
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.adapters import Adaptation
from models.bundle import (
    Bundle,
    Encoder,
    ImageFile,
    Runtime,
    SketchNormalisation,
    add_adaptation,
    bundle_path,
    write_bundle,
)
from models.bundle.manifest import ADAPTATION_NAME
from models.bundle.preprocess import Preprocess
from models.errors import InkseekError
from models.evaluation.protocol import CategoryGallery
from models.evaluation.splits import ValidationSplit, load_galleries
from models.export.folded import fold
from models.export.onnx_export import export_onnx
from models.export.parity import Encode, Parity, ParityBroken, compare, encode_in_batches
from models.export.split_figures import as_metrics, as_table, encode_splits
from models.networks.preprocessing import preprocesses
from models.networks.protocol import StudentPair
from models.training.weights.students_file import load_students

_MAX_DIFFERENCE = 1e-5  # of unit vectors, computed in float32 by two libraries


@dataclass(frozen=True)
class Release:
    """What a bundle is made of. `card`: Markdown; `{figures}` in it becomes the table of measured figures."""

    checkpoint: Path
    card: Path
    data: Path
    out: Path
    name: str
    normalisation: SketchNormalisation = field(default_factory=SketchNormalisation)


def build_bundle(release: Release) -> Bundle:
    """Write the bundle and open it. Raises CheckpointInvalid, ParityBroken, DatasetError, BundleError."""
    students, saved = load_students(release.checkpoint)
    size_px = students.config.size_px
    sketch, photo = preprocesses(size_px, release.normalisation)
    models = (export_onnx(students.sketch, size_px), export_onnx(students.photo, size_px))
    splits = tuple(ValidationSplit(**split) for split in saved.experiment["validation"])

    def write(out: Path, card: str, metrics: dict[str, Any]) -> Bundle:
        write_bundle(
            out,
            name=release.name,
            sketch_onnx=models[0],
            sketch_preprocess=sketch,
            photo_onnx=models[1],
            photo_preprocess=photo,
            model_card=card,
            metrics=metrics,
            provenance={"experiment": saved.experiment, "steps": saved.step},
        )
        # What the shipped encoders learned about learning, so that categories can be taught from the start.
        add_adaptation(out, shipped.carried_over(students.config.embedding_dim))
        return Bundle.load(out, Runtime(device="cpu"))

    shipped = Adaptation.load(bundle_path() / ADAPTATION_NAME)
    card = release.card.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        galleries = load_galleries(release.data, splits)
        parity = _parity(students, models, (sketch, photo), galleries[splits[0].name])
        parity.require(_MAX_DIFFERENCE)
        # Measured through the files that ship, so they have to exist before the manifest that holds their figures.
        rows = encode_splits(write(Path(folder) / "draft", card, {}), galleries)
    figures = {name: split.figures() for name, split in rows.items()}
    metrics = {"splits": as_metrics(figures), "parity": asdict(parity)}
    return write(release.out, card.replace("{figures}", as_table(figures)), metrics)


def _parity(
    students: StudentPair,
    models: tuple[bytes, bytes],
    preprocess: tuple[Preprocess, Preprocess],
    galleries: Sequence[CategoryGallery],
) -> Parity:
    """Both encoders on the sketches and photos of these galleries, as torch and as ONNX Runtime compute them."""
    files: tuple[list[ImageFile], list[ImageFile]] = (
        [query.sketch.image for gallery in galleries for query in gallery.queries],
        [photo.path for gallery in galleries for photo in gallery.photos],
    )
    reference, exported = [], []
    for number, student in enumerate((students.sketch, students.photo)):
        pixels = np.stack([preprocess[number].read(file) for file in files[number]])
        encoder = Encoder(
            Runtime(device="cpu").session(models[number]), preprocess[number], students.config.embedding_dim
        )
        reference.append(encode_in_batches(_torch_encode(fold(student, halved=True)), pixels))
        exported.append(encode_in_batches(encoder.encode, pixels))
    return compare((reference[0], reference[1]), (exported[0], exported[1]), tolerance=_MAX_DIFFERENCE)


def _torch_encode(student: nn.Module) -> Encode:
    def encode(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.no_grad():
            rows: NDArray[np.float32] = student(torch.from_numpy(batch)).numpy()
        return rows

    return encode


def main(arguments: list[str] | None = None) -> int:
    """Command line. Exit code 2: an input cannot be used, 3: the export does not answer as the student does."""
    parser = argparse.ArgumentParser(prog="python -m models.export.build_bundle", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--card", type=Path, required=True, help="the model card's text")
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the data sets")
    parser.add_argument("--out", type=Path, required=True, help="the bundle; one that is there is replaced")
    parser.add_argument("--name", default="inkseek-students")
    parser.add_argument("--min-extent", type=float, default=0.0, help="re-centre drawings smaller than this share")
    given = parser.parse_args(arguments)
    normalisation = SketchNormalisation(min_extent=given.min_extent)
    try:
        release = Release(given.checkpoint, given.card, given.data, given.out, given.name, normalisation)
        bundle = build_bundle(release)
    except InkseekError as error:
        sys.stderr.write(f"error: {error}\n")
        return 3 if isinstance(error, ParityBroken) else 2
    sys.stdout.write(f"{bundle.bundle_id} written to {given.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
