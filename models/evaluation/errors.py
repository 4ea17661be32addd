"""What an evaluation can refuse.

InkseekError (models.bundle.errors)
└── EvaluationError
    ├── NothingToEvaluate      no sketches with a photo to find
    ├── SplitNotChosen         the set is divided and no split was named
    ├── EmbeddingsNotFinite    an encoder gave infinities or what is not a number
    ├── ExamplesUnclear        what --adapt was given names no numbers of examples
    └── PicturesUnusable       the folder holds no pictures that could go into a report
"""

from models.errors import InkseekError


class EvaluationError(InkseekError):
    """No figures can be given."""


class NothingToEvaluate(EvaluationError):
    """There are no sketches with a photo to find."""


class SplitNotChosen(EvaluationError):
    """The set is divided, and which part is meant was not said: figures of training pairs are no figures."""


class EmbeddingsNotFinite(EvaluationError):
    """An encoder gave infinities or what is not a number."""


class PicturesUnusable(EvaluationError):
    """The folder holds no pictures that could go into a report."""


class ExamplesUnclear(EvaluationError):
    """What was given as numbers of examples are no numbers, or too small or large ones."""
