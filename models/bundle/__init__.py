"""The torch-free contract between training, indexing and serving.

bundle = Bundle.load("small")                               # by name or path; every byte checked
vectors = bundle.sketch.embed([Path("cup.png"), upload])    # (2, E), rows of length 1
"""

from models.bundle.alone import AloneShares, alone_shares
from models.bundle.calibration import CALIBRATION_DEPTH, ScoreCalibration, SearchCalibration, likeness
from models.bundle.embedding import (
    Embedded,
    ForPurpose,
    ImageEncoder,
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
from models.bundle.ground import stands_alone
from models.bundle.manifest import BundleManifest
from models.bundle.parts import EmbeddingParts, Focus
from models.bundle.preprocess import Preprocess, mirrored
from models.bundle.runtime import Runtime, cpu_quota, memory_limit
from models.bundle.sketch import ANYWHERE, AS_DRAWN, Frame, Purpose, SketchNormalisation, normalise_sketch
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
    "ANYWHERE",
    "AS_DRAWN",
    "CALIBRATION_DEPTH",
    "DEFAULT_BUNDLE",
    "PHOTO_MATTE",
    "SKETCH_MATTE",
    "STROKE_CANVAS_PX",
    "STROKE_LINE_PX",
    "STROKE_MARGIN",
    "AloneShares",
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
    "ForPurpose",
    "Frame",
    "ImageEncoder",
    "ImageError",
    "ImageFile",
    "ImageLimits",
    "ImageTooLarge",
    "ImageUnreadable",
    "ImageUnsupported",
    "Pace",
    "Preprocess",
    "Purpose",
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
    "alone_shares",
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
    "stands_alone",
    "write_bundle",
]
