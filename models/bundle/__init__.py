"""The torch-free contract between training, indexing and serving.

bundle = Bundle.load("small")                               # by name or path; every byte checked
vectors = bundle.sketch.embed([Path("cup.png"), upload])    # (2, E), rows of length 1
"""

from models.bundle.calibration import CALIBRATION_DEPTH, ScoreCalibration, SearchCalibration, likeness
from models.bundle.embedding import (
    Embedded,
    ImageEncoder,
    InDetail,
    Pace,
    ReadImage,
    Unusable,
    WrappedEncoder,
    embed,
    embed_stream,
)
from models.bundle.encoder import Encoder
from models.bundle.errors import (
    BundleCorrupt,
    BundleError,
    BundleNotFound,
    BundlePlaceTaken,
    BundleSchemaUnsupported,
    RuntimeUnavailable,
    SketchEmpty,
    SketchSolid,
    StrokesInvalid,
)
from models.bundle.manifest import BundleManifest
from models.bundle.parts import EmbeddingParts, Focus
from models.bundle.preprocess import Preprocess, mirrored
from models.bundle.runtime import Runtime, cpu_quota, memory_limit
from models.bundle.sketch import Frame, SketchNormalisation, normalise_sketch
from models.bundle.store import DEFAULT_BUNDLE, Bundle, bundle_path, name_of_bundle, read_manifest, shipped_bundles
from models.bundle.strokes import (
    STROKE_CANVAS_PX,
    STROKE_LINE_PX,
    STROKE_MARGIN,
    StrokeLimits,
    rasterise_strokes,
)
from models.bundle.writing import (
    add_adaptation,
    add_calibration,
    change_card,
    require_free_place,
    set_trimming,
    write_bundle,
)
from models.images import (
    PHOTO_MATTE,
    SKETCH_MATTE,
    DecodedImage,
    ImageError,
    ImageFile,
    ImageLimits,
    ImageTooLarge,
    ImageUnreadable,
    ImageUnsupported,
    decode_image,
    open_image,
)

__all__ = [
    "CALIBRATION_DEPTH",
    "DEFAULT_BUNDLE",
    "PHOTO_MATTE",
    "SKETCH_MATTE",
    "STROKE_CANVAS_PX",
    "STROKE_LINE_PX",
    "STROKE_MARGIN",
    "Bundle",
    "BundleCorrupt",
    "BundleError",
    "BundleManifest",
    "BundleNotFound",
    "BundlePlaceTaken",
    "BundleSchemaUnsupported",
    "DecodedImage",
    "Embedded",
    "EmbeddingParts",
    "Encoder",
    "Focus",
    "Frame",
    "ImageEncoder",
    "ImageError",
    "ImageFile",
    "ImageLimits",
    "ImageTooLarge",
    "ImageUnreadable",
    "ImageUnsupported",
    "InDetail",
    "Pace",
    "Preprocess",
    "ReadImage",
    "Runtime",
    "RuntimeUnavailable",
    "ScoreCalibration",
    "SearchCalibration",
    "SketchEmpty",
    "SketchNormalisation",
    "SketchSolid",
    "StrokeLimits",
    "StrokesInvalid",
    "Unusable",
    "WrappedEncoder",
    "add_adaptation",
    "add_calibration",
    "bundle_path",
    "change_card",
    "cpu_quota",
    "decode_image",
    "embed",
    "embed_stream",
    "likeness",
    "memory_limit",
    "mirrored",
    "name_of_bundle",
    "normalise_sketch",
    "open_image",
    "rasterise_strokes",
    "read_manifest",
    "require_free_place",
    "set_trimming",
    "shipped_bundles",
    "write_bundle",
]
