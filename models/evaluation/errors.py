"""Why an evaluation gives no figures.

InkseekError (models.errors)
└── EvaluationError
    ├── NothingToEvaluate      no sketches with a photo to find
    ├── SplitNotChosen         the set is divided and no split was named
    ├── NothingToCalibrate     the splits have no right and wrong answers to fit a calibration to
    ├── EmbeddingsNotFinite    an encoder gave infinities or NaN
    ├── ExamplesUnclear        --adapt was given something else than numbers of examples
    └── PicturesUnusable       the folder holds no pictures that could go into a report
"""

from models.errors import InkseekError


class EvaluationError(InkseekError):
    """An evaluation cannot give figures."""


class NothingToEvaluate(EvaluationError):
    """There are no sketches with a photo to find."""


class SplitNotChosen(EvaluationError):
    """The set is divided and no split was named; figures of training pairs would say nothing."""


class EmbeddingsNotFinite(EvaluationError):
    """An encoder gave infinities or NaN."""


class PicturesUnusable(EvaluationError):
    """The folder holds no pictures that could go into a report."""


class ExamplesUnclear(EvaluationError):
    """The numbers of examples are not numbers, or are too small or too large."""


class NothingToCalibrate(EvaluationError):
    """The splits have no right and wrong answers to fit a calibration to."""
