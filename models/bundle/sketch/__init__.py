"""A sketch from anywhere to what the encoders were trained on: dark lines of one width on a white square."""

from models.bundle.sketch.ink import levels_of
from models.bundle.sketch.normalisation import SketchNormalisation, normalise_sketch
from models.bundle.sketch.purpose import ANYWHERE, AS_DRAWN, Frame, Purpose

__all__ = ["ANYWHERE", "AS_DRAWN", "Frame", "Purpose", "SketchNormalisation", "levels_of", "normalise_sketch"]
