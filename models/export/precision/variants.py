"""A bundle in another precision, or with fewer channels: of its own, since embeddings differ, from its parent's files.

It is compared with its parent, through the files that ship, on all validation queries that there are: those of the
splits that the parent was measured on, and drawings of kinds in a mixed gallery. It is written only where the interval
of the pooled, paired difference excludes a loss of more acc@1 than allowed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from models.bundle import (
    Bundle,
    BundleManifest,
    Runtime,
    add_calibration,
    require_free_place,
    write_bundle,
)
from models.bundle.manifest import MODEL_CARD_NAME
from models.data.images.training_sets import SetConfig
from models.errors import InkseekError
from models.evaluation.protocol import BothFigures
from models.evaluation.splits import KindSearches, ValidationSplit, load_galleries, load_kinds
from models.export.inheritance import inherit_adaptation
from models.export.narrowing import hidden_channels, narrow
from models.export.parity import Parity, pooled
from models.export.precision.calibration import Calibration, calibration_images
from models.export.precision.float16 import to_float16
from models.export.precision.int8 import to_int8
from models.export.precision.pooled_queries import (
    LossTooHigh,
    Measured,
    PooledDifference,
    measure_queries,
    pooled_difference,
)
from models.export.split_figures import SplitRows, as_metrics, as_table
from models.export.stored_weights import Storage, stored_as

Convert = Callable[[bytes, NDArray[np.float32]], bytes]

_TOLERANCE = 1e-3  # cosines nearer than this are in an order that rounding gave them


class Precision(StrEnum):
    """The numbers that a variant computes in."""

    FLOAT32 = "float32"  # as its parent: for what is changed otherwise
    INT8 = "int8"  # for CPUs
    FLOAT16 = "float16"  # for GPUs


def _as_it_is(onnx_file: bytes, _: NDArray[np.float32]) -> bytes:
    return onnx_file


_float_stem = partial(to_int8, float_stem=True)

RECIPES: Mapping[Precision, Mapping[str, tuple[Convert, Convert]]] = {
    Precision.FLOAT32: {"float32": (_as_it_is, _as_it_is)},
    Precision.INT8: {
        "int8": (to_int8, to_int8),
        "int8, stem in float32": (_float_stem, _float_stem),
        "int8, photos in float32": (to_int8, _as_it_is),  # somebody waits for a sketch, and nobody for photos
    },
    Precision.FLOAT16: {"float16": (to_float16, to_float16)},
}
"""Ways to each precision, of sketches and of photos, the fastest first."""


class ParentUnfit(InkseekError):
    """No variant can be made of this bundle."""


class NothingToChange(ParentUnfit):
    """The variant would be its parent."""


@dataclass(frozen=True)
class VariantRequest:
    """`parent`: the bundle's directory. `data`: the folder that holds the data sets it was trained on.

    `max_loss`: of acc@1 as a share, over all queries pooled, at the far end of the interval. `kinds`: more queries,
    without which the interval of the splits alone may be too wide to pass. `calibration_pairs`: training pairs that
    ranges are found on. `narrow`: the tolerance that channels of the sketch encoder are left out at, see
    `models.export.narrowing.narrow`; None: all stay. `storage`: of the weights of a variant in float32.
    """

    parent: Path
    data: Path
    out: Path
    precision: Precision = Precision.INT8
    name: str | None = None
    max_loss: float = 0.005
    kinds: KindSearches | None = None
    calibration_pairs: int = 256
    narrow: float | None = None
    storage: Storage = Storage.HALF


@dataclass(frozen=True)
class Candidate:
    """The figures of one recipe, and the embeddings, `rows`, that they are of.

    `losses`: acc@1 of the parent minus the variant's, by split; `pooled`: over all.
    """

    recipe: str
    figures: Mapping[str, BothFigures]
    rows: Mapping[str, SplitRows]
    losses: Mapping[str, float]
    pooled: PooledDifference
    parity: Parity

    def __str__(self) -> str:
        """The recipe, its difference over all queries, and its losses by split, in points."""
        lost = ", ".join(f"{name} {100 * value:+.1f}" for name, value in self.losses.items())
        return f"{self.recipe}: {self.pooled}; points lost by split: {lost}"


def make_variant(request: VariantRequest, report: Callable[[str], None]) -> BundleManifest:
    """Convert and measure by each recipe in turn, and write the first one's bundle that passes the gate.

    `report` is called with a line per recipe.

    Raises ParentUnfit, LossTooHigh, RangeExceeded, DatasetError, BundleError.
    """
    require_free_place(request.out)
    parent = Bundle.load(request.parent, Runtime(device="cpu", threads=1))
    splits, sets = _trained_on(parent)
    if request.narrow is not None and "narrowed" in parent.manifest.provenance:
        raise ParentUnfit(f"{parent.bundle_id} has been narrowed already: narrow what it was made from")
    failures: list[LossTooHigh] = []
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft"
        galleries = load_galleries(request.data, splits)
        kinds = load_kinds(request.kinds) if request.kinds is not None else {}
        drawings = None if request.narrow is None or request.kinds is None else request.kinds.drawings
        images = calibration_images(parent, request.data, sets, request.calibration_pairs, drawings)
        sources = _sources(parent, request, images)
        before = measure_queries(parent, galleries, kinds)
        for recipe, (of_sketches, of_photos) in RECIPES[request.precision].items():
            models = of_sketches(sources[0], images.sketches), of_photos(sources[1], images.photos)
            _write(parent, request, models, out=draft, card="")
            opened = Bundle.load(draft, Runtime(device="cpu", threads=1))
            candidate = _compared(recipe, before, measure_queries(opened, galleries, kinds))
            report(str(candidate))
            try:
                candidate.pooled.require_loss_within(request.max_loss)
            except LossTooHigh as failure:
                failures.append(failure)
                continue
            return _publish(parent, request, sources[0], models, images, candidate)
    nearest = min(failures, key=lambda failure: failure.measured)
    raise LossTooHigh(
        f"no recipe passed ({', '.join(RECIPES[request.precision])}); the nearest: {nearest}",
        measured=nearest.measured,
        required=nearest.required,
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


def _sources(parent: Bundle, request: VariantRequest, images: Calibration) -> tuple[bytes, bytes]:
    """The parent's files, the sketch encoder's with the channels that the request leaves it. Raises NothingToChange.

    Photos are encoded once, ahead; somebody waits for a sketch. So the sketch encoder alone is narrowed.
    """
    sketch, photo = ((parent.path / spec.file).read_bytes() for spec in (parent.manifest.sketch, parent.manifest.photo))
    if request.narrow is not None:
        before = hidden_channels(sketch)
        sketch = narrow(sketch, np.concatenate([images.sketches, images.drawings]), request.narrow)
        if hidden_channels(sketch) == before:
            raise NothingToChange(f"{parent.bundle_id} has no channel that could be left out at {request.narrow:g}")
    if request.precision == Precision.FLOAT32:
        return stored_as(sketch, request.storage), stored_as(photo, request.storage)
    return sketch, photo


def _compared(recipe: str, before: Measured, after: Measured) -> Candidate:
    losses = {
        name: float(before.outcomes[name].first.mean() - now.first.mean()) for name, now in after.outcomes.items()
    }
    return Candidate(
        recipe=recipe,
        figures={name: split.figures() for name, split in after.splits.items()},
        rows=after.splits,
        losses=losses,
        pooled=pooled_difference(after.outcomes, before.outcomes),
        parity=pooled([before.splits[name].parity(split, _TOLERANCE) for name, split in after.splits.items()]),
    )


def _publish(
    parent: Bundle,
    request: VariantRequest,
    sketch: bytes,
    models: tuple[bytes, bytes],
    images: Calibration,
    candidate: Candidate,
) -> BundleManifest:
    """Write the bundle of `models`. `sketch`: what the sketch encoder was converted from, narrowed where asked for."""
    inherited = (parent.path / MODEL_CARD_NAME).read_text(encoding="utf-8")
    card = _card(parent, request, images, candidate) + "\n\n" + inherited
    losses = {name: round(loss, 4) for name, loss in candidate.losses.items()}
    metrics = {
        "splits": as_metrics(candidate.rows),
        "parity": asdict(candidate.parity),
        "acc_at_1_lost": losses,
        "gate": {"max_loss": request.max_loss, **candidate.pooled.as_dict()},
    }
    calibration = {"pairs": images.folders, "method": "minmax"}
    provenance = {"recipe": candidate.recipe, "calibration": calibration}
    if request.narrow is not None:
        # Channels are counted in floats: blocks are not found any more in a graph of integers.
        files = (parent.path / parent.manifest.sketch.file).read_bytes(), sketch
        provenance["narrowed"] = {
            "tolerance": request.narrow,
            "drawings": len(images.drawings),
            "hidden_channels": [hidden_channels(file) for file in files],
        }
    manifest = _write(parent, request, models, request.out, card, metrics, provenance)
    manifest = inherit_adaptation(parent, request.out, manifest)
    if parent.calibration is not None:
        # Embeddings are the parent's but for rounding, so scores mean what they mean for it.
        manifest = add_calibration(request.out, parent.calibration)
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
    # A narrower bundle in the same numbers may be the parent of one in others: that is one step of each kind.
    origin = "narrowed_from" if request.precision == Precision.FLOAT32 else "variant_of"
    return write_bundle(
        out,
        name=request.name or f"{parent.manifest.name}-{'narrow-' if request.narrow else ''}{request.precision}",
        sketch_onnx=models[0],
        sketch_preprocess=parent.sketch.preprocess,
        photo_onnx=models[1],
        photo_preprocess=parent.photo.preprocess,
        model_card=card,
        metrics=metrics,
        provenance={**parent.manifest.provenance, origin: parent.bundle_id, **(provenance or {})},
        parts=parent.parts,
    )


def _card(parent: Bundle, request: VariantRequest, images: Calibration, candidate: Candidate) -> str:
    pairs = ", ".join(f"{count} of {folder}" for folder, count in images.folders.items())
    how, why = f"the same encoders in another precision ({candidate.recipe})", "by rounding"
    found = f"Ranges were found on training pairs: {pairs}."
    if request.narrow is not None:
        narrower = "the same encoders, the sketch encoder with fewer channels inside"
        how = narrower if request.precision == Precision.FLOAT32 else f"{narrower}, in numbers of {candidate.recipe}"
        why = "a little"
        found = (
            f"What is left out and ranges were found on {len(images.drawings)} drawings and training pairs: {pairs}."
        )
    return f"""# {parent.manifest.name} in {request.precision}

A variant of `{parent.bundle_id}`, whose card follows: {how}.
Its embeddings differ from its parent's {why}, so it needs an index of its own. {found}
Figures of the variant, every sketch searched among its category's photos:

{as_table(candidate.figures)}

Over all validation queries, of these splits and of kinds in a mixed gallery, it differs from its parent by
{candidate.pooled}, paired, 95 % interval; the gate admits a loss of {100 * request.max_loss:.1f} points."""
