"""A sketch from anywhere to what the encoders were trained on: dark lines of one width on a white square."""

from models.bundle.sketch.ink import levels_of
from models.bundle.sketch.normalisation import Frame, SketchNormalisation, normalise_sketch

__all__ = ["Frame", "SketchNormalisation", "levels_of", "normalise_sketch"]
