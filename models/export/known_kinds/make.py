"""A bundle whose sketches weigh kind against layout by how well their kind is known: of its own, from a parent's files.

It is compared with its parent, through the files that ship, on all validation queries, as a variant is.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.arrays import Vectors
from models.bundle import (
    Bundle,
    BundleManifest,
    EmbeddingParts,
    Encoder,
    Runtime,
    SketchEmpty,
    SketchSolid,
    require_free_place,
    write_bundle,
)
from models.bundle.manifest import MODEL_CARD_NAME
from models.data.images.packed import read_pack
from models.errors import InkseekError
from models.evaluation.splits import KindSearches, ValidationSplit, load_galleries, load_kinds
from models.export.inheritance import inherit_adaptation
from models.export.known_kinds.graphs import weigh_photos, weigh_sketches, weighed_parts
from models.export.known_kinds.prototypes import KnownKinds, prototypes
from models.export.known_kinds.weighing import KindWeighing
from models.export.precision.pooled_queries import Measured, PooledDifference, measure_queries, pooled_difference

_IMAGES_PER_KIND = 64  # their mean hardly changes with more
_LEAST_DRAWINGS = 5  # fewer are drawings of one picture, and no kind
_BATCH = 16


class NoParts(InkseekError):
    """The bundle's embeddings have no parts to be weighed."""


class WeighedBefore(InkseekError):
    """The bundle weighs its parts by known kinds already."""


@dataclass(frozen=True)
class KnownKindsRequest:
    """`parent`: the bundle's directory. `pack`: the images that it was trained on; `cache`: where they are unpacked.

    `data`: the folder of its validation splits. `max_loss`: of acc@1 as a share, over all queries pooled, at the far
    end of the interval. `kinds`: drawings in a mixed gallery, the queries that gain by it.
    """

    parent: Path
    pack: Path
    cache: Path
    data: Path
    out: Path
    kinds: KindSearches
    name: str | None = None
    weighing: KindWeighing = field(default_factory=KindWeighing)
    max_loss: float = 0.005


def make_known_kinds(request: KnownKindsRequest, report: Callable[[str], None]) -> BundleManifest:
    """Write the bundle, if it passes its gate; `report` is called with a line per step.

    Raises NoParts, WeighedBefore, TooFewKinds, PackInvalid, LossTooHigh, DatasetError, BundleError.
    """
    require_free_place(request.out)
    parent = Bundle.load(request.parent, Runtime(device="cpu", threads=1))
    if parent.parts is None:
        raise NoParts(f"{parent.bundle_id} has embeddings of one piece: there is no kind in them to be weighed")
    if "known_kinds" in parent.manifest.provenance:
        raise WeighedBefore(f"{parent.bundle_id} weighs its parts already: begin with what it was made from")
    known = known_kinds(parent, parent.parts, request.pack, request.cache, report)
    report(f"kinds known: {len(known.sketches)} by drawings, {len(known.photos)} by photos")
    files = [(parent.path / spec.file).read_bytes() for spec in (parent.manifest.sketch, parent.manifest.photo)]
    models = (
        weigh_sketches(files[0], parent.parts, known.sketches, request.weighing),
        weigh_photos(files[1], parent.parts, known.photos),
    )
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft"
        _write(request, parent, models, draft, card="")
        galleries = load_galleries(request.data, _splits(parent))
        drawings = load_kinds(request.kinds)
        before = measure_queries(parent, galleries, drawings)
        after = measure_queries(Bundle.load(draft, Runtime(device="cpu", threads=1)), galleries, drawings)
    difference = pooled_difference(after.outcomes, before.outcomes)
    report(str(difference))
    gains = _gains(before, after)
    for name, gain in gains.items():
        report(f"{name}: {100 * gain:+.1f} points")
    difference.require_loss_within(request.max_loss)
    return _publish(request, parent, models, known, difference, gains)


def known_kinds(
    bundle: Bundle, parts: EmbeddingParts, pack: Path, cache: Path, report: Callable[[str], None]
) -> KnownKinds:
    """Prototypes of the kinds in a pack, from people's drawings and from photos. Raises PackInvalid, TooFewKinds."""
    # Of a pack that serves several experiments, the part that these students learned from.
    selection = bundle.manifest.provenance.get("experiment", {}).get("selection", "")
    images, table, _ = read_pack(pack, cache, report, drawn=False, selection=selection)
    # The likeliest kind of each image comes first. Synthetic drawings, which are of no set, do not draw as people do.
    drawn = [
        kinds[0] if kinds and name else None for kinds, name in zip(table.sketches, table.sketch_sets, strict=True)
    ]
    shown = [kinds[0] if kinds else None for kinds in table.photos]
    sketches, of_sketches = _kind_parts(bundle.sketch, parts, images.sketches, drawn)
    photos, of_photos = _kind_parts(bundle.photo, parts, images.photos, shown)
    return KnownKinds(prototypes(sketches, of_sketches, _LEAST_DRAWINGS), prototypes(photos, of_photos, 1))


def _kind_parts(
    encoder: Encoder, parts: EmbeddingParts, images: NDArray[np.uint8], kinds: Sequence[int | None]
) -> tuple[Vectors, list[int]]:
    """Images (I, S, S) or (I, 3, S, S) and their kinds -> (J, kind_dim) and the kinds of those that were encoded."""
    found, kept = [np.empty((0, parts.kind_dim), np.float32)], []
    rows = _some_of_each(kinds)
    for start in range(0, len(rows), _BATCH):
        batch = []
        for row, kind in rows[start : start + _BATCH]:
            pixels = images[row] if images.ndim == 3 else images[row].transpose(1, 2, 0)
            try:
                batch.append(encoder.prepare(Image.fromarray(np.ascontiguousarray(pixels))))
            except (SketchEmpty, SketchSolid):
                continue
            kept.append(kind)
        if batch:
            found.append(parts.kind_of(encoder.encode(np.stack(batch))))
    return np.concatenate(found), kept


def _some_of_each(kinds: Sequence[int | None]) -> list[tuple[int, int]]:
    """Rows of the first images of each kind, with the kind."""
    seen: Counter[int] = Counter()
    rows = []
    for row, kind in enumerate(kinds):
        if kind is not None and seen[kind] < _IMAGES_PER_KIND:
            seen[kind] += 1
            rows.append((row, kind))
    return rows


def _splits(parent: Bundle) -> tuple[ValidationSplit, ...]:
    given = parent.manifest.provenance.get("experiment", {}).get("validation", ())
    return tuple(ValidationSplit(**split) for split in given)


def _gains(before: Measured, after: Measured) -> Mapping[str, float]:
    """acc@1 of each split afterwards minus before, as a share."""
    return {
        name: float(outcome.first.mean() - before.outcomes[name].first.mean())
        for name, outcome in after.outcomes.items()
    }


def _publish(
    request: KnownKindsRequest,
    parent: Bundle,
    models: tuple[bytes, bytes],
    known: KnownKinds,
    difference: PooledDifference,
    gains: Mapping[str, float],
) -> BundleManifest:
    metrics = {
        **parent.manifest.metrics,
        "known_kinds": {
            "gained": {name: round(gain, 4) for name, gain in gains.items()},
            "max_loss": request.max_loss,
            **difference.as_dict(),
        },
    }
    provenance = {
        "known_kinds": {
            "made_from": parent.bundle_id,
            "by_drawings": len(known.sketches),
            "by_photos": len(known.photos),
            "weighing": asdict(request.weighing),
        }
    }
    inherited = (parent.path / MODEL_CARD_NAME).read_text(encoding="utf-8")
    manifest = _write(request, parent, models, request.out, inherited, metrics, provenance)
    return inherit_adaptation(parent, request.out, manifest)


def _write(
    request: KnownKindsRequest,
    parent: Bundle,
    models: tuple[bytes, bytes],
    out: Path,
    card: str,
    metrics: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> BundleManifest:
    # Its parent's calibration does not hold for it: scores of searches over everything mean something else.
    assert parent.parts is not None
    return write_bundle(
        out,
        name=request.name or parent.manifest.name,
        sketch_onnx=models[0],
        sketch_preprocess=parent.sketch.preprocess,
        photo_onnx=models[1],
        photo_preprocess=parent.photo.preprocess,
        model_card=card,
        metrics=metrics,
        provenance={**parent.manifest.provenance, **(provenance or {})},
        parts=weighed_parts(parent.parts),
    )
