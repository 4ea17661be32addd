"""A bundle's calibration, from its validation splits and drawings of kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.bundle import ScoreCalibration, SearchCalibration
from models.data.datasets import LabelledSketch
from models.evaluation.calibration.fit import Fitted, fit_calibration
from models.evaluation.calibration.material import gather
from models.evaluation.calibration.searches import Searches
from models.evaluation.embeddings import Progress
from models.evaluation.encoders import EncoderPair
from models.evaluation.errors import NothingToCalibrate
from models.evaluation.kinds.measure import KindTask
from models.evaluation.protocol import CategoryGallery


@dataclass(frozen=True)
class CalibrationResult:
    """`calibration`, and by its field names what was fitted, each with its reliability on what it was not fitted to."""

    calibration: ScoreCalibration
    fitted: Mapping[str, Fitted]


def calibrate(
    encoders: EncoderPair,
    galleries: Mapping[str, Sequence[CategoryGallery]],
    kinds: Mapping[str, KindTask],
    nothing: Sequence[LabelledSketch] = (),
    progress: Progress | None = None,
) -> CalibrationResult:
    """Fit what scores mean for each kind of search that the material has right and wrong answers to.

    `nothing`: drawings of nothing, which are searched for in the mixed gallery of `kinds`, and are answered wrong.
    Raises NothingToCalibrate, EmbeddingsNotFinite.
    """
    material = gather(encoders, galleries, kinds, nothing, progress)
    searched: dict[str, tuple[Searches, ...]] = {
        "everything": material.everything,
        "kind": material.kind,
        "category": material.category,
    }
    fitted: dict[str, Fitted] = {}
    for name, domains in searched.items():
        # Within a category all photos are of a kind, so that their likeness says nothing.
        if domains and (result := fit_calibration(domains, use_likeness=name != "category")) is not None:
            fitted[name] = result
    if not fitted:
        raise NothingToCalibrate("no kind of search has both right and wrong first results in several groups")
    fields: dict[str, SearchCalibration] = {name: result.calibration for name, result in fitted.items()}
    provenance: dict[str, object] = {
        "fitted_on": encoders.bundle_id,
        "splits": list(galleries),
        "kinds": list(kinds),
    }
    if nothing and kinds:
        provenance["drawings_of_nothing"] = len(nothing)
    return CalibrationResult(ScoreCalibration(**fields, provenance=provenance), fitted)
