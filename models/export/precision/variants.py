"""A bundle in another precision: a bundle of its own, since its embeddings differ, made from its parent's files alone.

It is compared with its parent on the splits that the parent was measured on, through the files that ship, and written
only when it loses no more acc@1 than allowed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from models.bundle import Bundle, BundleManifest, Runtime, add_adaptation, write_bundle
from models.bundle.manifest import MODEL_CARD_NAME
from models.data.images.training_sets import SetConfig
from models.errors import InkseekError
from models.evaluation.protocol import BothFigures
from models.evaluation.splits import ValidationSplit, load_galleries
from models.export.gates import GateNotPassed
from models.export.parity import Parity, pooled
from models.export.precision.calibration import Calibration, calibration_images
from models.export.precision.float16 import to_float16
from models.export.precision.int8 import to_int8
from models.export.split_figures import SplitRows, as_metrics, as_table, encode_splits

Convert = Callable[[bytes, NDArray[np.float32]], bytes]

_TOLERANCE = 1e-3  # cosines nearer than this are in an order that rounding gave them


class Precision(StrEnum):
    """The numbers that a variant computes in."""

    INT8 = "int8"  # for CPUs
    FLOAT16 = "float16"  # for GPUs


RECIPES: Mapping[Precision, Mapping[str, Convert]] = {
    Precision.INT8: {"int8": to_int8, "int8, stem in float32": partial(to_int8, float_stem=True)},
    Precision.FLOAT16: {"float16": to_float16},
}
"""Ways to each precision, the fastest first."""


class ParentUnfit(InkseekError):
    """No variant can be made of this bundle."""


class LossTooHigh(GateNotPassed):
    """The variant loses more acc@1 relative to its parent than allowed."""


@dataclass(frozen=True)
class VariantRequest:
    """`parent`: the bundle's directory. `data`: the folder that holds the data sets it was trained on.

    `max_loss`: of acc@1 as a share, on any split, by plain cosines or mean-centred within a category.
    `calibration_pairs`: training pairs that ranges are found on.
    """

    parent: Path
    data: Path
    out: Path
    precision: Precision = Precision.INT8
    name: str | None = None
    max_loss: float = 0.005
    calibration_pairs: int = 256


@dataclass(frozen=True)
class Candidate:
    """The figures of one recipe. `losses`: acc@1 of the parent minus the variant's, by split and scoring."""

    recipe: str
    figures: Mapping[str, BothFigures]
    losses: Mapping[str, float]
    parity: Parity

    @property
    def loss(self) -> float:
        """The largest loss on any split, as a share."""
        return max(self.losses.values())

    def __str__(self) -> str:
        """The recipe and its losses by split, in points."""
        lost = ", ".join(f"{name} {100 * value:+.1f}" for name, value in self.losses.items())
        return f"{self.recipe}: points of acc@1 lost: {lost}"


def make_variant(request: VariantRequest, report: Callable[[str], None]) -> BundleManifest:
    """Convert and measure by each recipe in turn, and write the first one's bundle that keeps within `max_loss`.

    `report` is called with a line per recipe.

    Raises ParentUnfit, LossTooHigh, RangeExceeded, DatasetError, BundleError.
    """
    parent = Bundle.load(request.parent, Runtime(device="cpu", threads=1))
    splits, sets = _trained_on(parent)
    candidates = []
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft"
        galleries = load_galleries(request.data, splits)
        images = calibration_images(parent, request.data, sets, request.calibration_pairs)
        before = encode_splits(parent, galleries)
        for recipe, convert in RECIPES[request.precision].items():
            models = _converted(parent, convert, images)
            _write(parent, request, models, out=draft, card="")
            opened = Bundle.load(draft, Runtime(device="cpu", threads=1))
            candidate = _compared(recipe, before, encode_splits(opened, galleries))
            report(str(candidate))
            candidates.append(candidate)
            if candidate.loss <= request.max_loss:
                return _publish(parent, request, models, images, candidate)
    raise LossTooHigh(
        f"{100 * request.max_loss:.1f} points of acc@1 may be lost on a split; " + "; ".join(map(str, candidates)),
        measured=round(min(candidate.loss for candidate in candidates), 4),
        required=request.max_loss,
    )


def _trained_on(parent: Bundle) -> tuple[tuple[ValidationSplit, ...], tuple[SetConfig, ...]]:
    """Splits that the bundle was measured on, and training sets in the same folders, which are there when those are."""
    provenance = parent.manifest.provenance
    # Losses are measured against the parent, and those of a chain of variants would add up unseen.
    if "variant_of" in provenance:
        raise ParentUnfit(f"{parent.bundle_id} is a variant of {provenance['variant_of']}: make others from that one")
    try:
        experiment = provenance["experiment"]
        splits = tuple(ValidationSplit(**split) for split in experiment["validation"])
        folders = {split.folder for split in splits}
        sets = tuple(SetConfig.model_validate(given) for given in experiment["sets"])
    except (KeyError, TypeError, ValidationError) as error:
        raise ParentUnfit(f"{parent.bundle_id} does not say what it was trained and measured on: {error}") from error
    pairs = tuple(chosen for chosen in sets if chosen.folder in folders and chosen.split)
    if not pairs:
        raise ParentUnfit(f"{parent.bundle_id} was trained on no pairs of {', '.join(sorted(folders))}")
    return splits, pairs


def _converted(parent: Bundle, convert: Convert, images: Calibration) -> tuple[bytes, bytes]:
    sketch, photo = (parent.path / spec.file for spec in (parent.manifest.sketch, parent.manifest.photo))
    return convert(sketch.read_bytes(), images.sketches), convert(photo.read_bytes(), images.photos)


def _compared(recipe: str, before: Mapping[str, SplitRows], after: Mapping[str, SplitRows]) -> Candidate:
    figures = {name: split.figures() for name, split in after.items()}
    losses = {}
    for name, now in figures.items():
        was = before[name].figures()
        losses[name] = was.centred.acc_at_1 - now.centred.acc_at_1
        losses[f"{name}, plain"] = was.plain.acc_at_1 - now.plain.acc_at_1
    parity = pooled([before[name].parity(split, _TOLERANCE) for name, split in after.items()])
    return Candidate(recipe, figures, losses, parity)


def _publish(
    parent: Bundle, request: VariantRequest, models: tuple[bytes, bytes], images: Calibration, candidate: Candidate
) -> BundleManifest:
    inherited = (parent.path / MODEL_CARD_NAME).read_text(encoding="utf-8")
    card = _card(parent, request, images, candidate) + "\n\n" + inherited
    losses = {name: round(loss, 4) for name, loss in candidate.losses.items()}
    metrics = {"splits": as_metrics(candidate.figures), "parity": asdict(candidate.parity), "acc_at_1_lost": losses}
    calibration = {"pairs": images.folders, "method": "minmax"}
    provenance = {"recipe": candidate.recipe, "calibration": calibration}
    manifest = _write(parent, request, models, request.out, card, metrics, provenance)
    if parent.adaptation is not None:
        # Its embeddings are the parent's but for rounding.
        # An adaptation that serves any bundle has an empty id, and keeps it.
        adaptation = replace(parent.adaptation, bundle_id=parent.adaptation.bundle_id and manifest.bundle_id)
        manifest = add_adaptation(request.out, adaptation)
    return manifest


def _write(
    parent: Bundle,
    request: VariantRequest,
    models: Sequence[bytes],
    out: Path,
    card: str,
    metrics: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> BundleManifest:
    return write_bundle(
        out,
        name=request.name or f"{parent.manifest.name}-{request.precision}",
        sketch_onnx=models[0],
        sketch_preprocess=parent.sketch.preprocess,
        photo_onnx=models[1],
        photo_preprocess=parent.photo.preprocess,
        model_card=card,
        metrics=metrics,
        provenance={**parent.manifest.provenance, "variant_of": parent.bundle_id, **(provenance or {})},
        parts=parent.parts,
    )


def _card(parent: Bundle, request: VariantRequest, images: Calibration, candidate: Candidate) -> str:
    pairs = ", ".join(f"{count} of {folder}" for folder, count in images.folders.items())
    return f"""# {parent.manifest.name} in {request.precision}

A variant of `{parent.bundle_id}`, whose card follows: the same encoders in another precision ({candidate.recipe}).
Its embeddings differ from its parent's by rounding, so it needs an index of its own. Ranges were found on training
pairs: {pairs}. Figures of the variant, every sketch searched among its category's photos:

{as_table(candidate.figures)}

Largest loss of acc@1 to its parent on any of these: {100 * max(candidate.loss, 0.0):.1f} points."""
