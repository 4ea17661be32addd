"""The torch-free contract between training, indexing and serving.

bundle = Bundle.load()                       # the shipped one; every byte checked
drawing = decode_image(data, matte="contrast").image
vector = bundle.sketch.encode(bundle.sketch.prepare(drawing)[None])    # (1, E), length 1
"""

from models.bundle.encoder import Encoder
from models.bundle.errors import (
    BundleCorrupt,
    BundleError,
    BundleNotFound,
    BundleSchemaUnsupported,
    ImageError,
    ImageTooLarge,
    ImageUnreadable,
    ImageUnsupported,
    RuntimeUnavailable,
    SketchEmpty,
    SketchSolid,
    StrokesInvalid,
)
from models.bundle.image import DecodedImage, ImageLimits, decode_image
from models.bundle.manifest import BundleManifest
from models.bundle.preprocess import Preprocess
from models.bundle.runtime import Runtime, cpu_quota
from models.bundle.sketch import SketchNormalisation, normalise_sketch
from models.bundle.store import DEFAULT_BUNDLE, Bundle, add_adaptation, read_manifest, write_bundle
from models.bundle.strokes import StrokeLimits, rasterise_strokes

__all__ = [
    "DEFAULT_BUNDLE",
    "Bundle",
    "BundleCorrupt",
    "BundleError",
    "BundleManifest",
    "BundleNotFound",
    "BundleSchemaUnsupported",
    "DecodedImage",
    "Encoder",
    "ImageError",
    "ImageLimits",
    "ImageTooLarge",
    "ImageUnreadable",
    "ImageUnsupported",
    "Preprocess",
    "Runtime",
    "RuntimeUnavailable",
    "SketchEmpty",
    "SketchNormalisation",
    "SketchSolid",
    "StrokeLimits",
    "StrokesInvalid",
    "add_adaptation",
    "cpu_quota",
    "decode_image",
    "normalise_sketch",
    "rasterise_strokes",
    "read_manifest",
    "write_bundle",
]
