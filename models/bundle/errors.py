"""What can be wrong with a bundle, and with an image that an encoder is to embed.

InkseekError
├── BundleError
│   ├── BundleNotFound            no bundle at that path
│   ├── BundleCorrupt             a file is missing, changed, or contradicts the manifest
│   ├── BundlePlaceTaken          something else than a bundle lies where one is to be written
│   ├── BundleSchemaUnsupported   written by another version of the format
│   └── RuntimeUnavailable        no onnxruntime, two of them, or no GPU where one is required
└── ImageError                    models.images.errors: files that are no usable images
    ├── StrokesInvalid            strokes that are no drawing: wrong shape, not finite, too many
    ├── SketchEmpty               nothing is drawn
    └── SketchSolid               nothing but ink
"""

from models.errors import InkseekError
from models.images.errors import ImageError


class BundleError(InkseekError):
    """Base of what can be wrong with a bundle or with the runtime that opens it; to be caught as one."""


class BundleNotFound(BundleError):
    """No bundle at that path, and none of that name; the message lists the names there are."""


class BundleCorrupt(BundleError):
    """A file is missing, changed, or contradicts the manifest."""


class BundlePlaceTaken(BundleError):
    """Something else than a bundle lies where one is to be written: it would be deleted."""


class BundleSchemaUnsupported(BundleError):
    """The manifest's schema version is not one that this release reads."""


class RuntimeUnavailable(BundleError):
    """onnxruntime is missing, installed twice, or lacks the device that was required."""


class StrokesInvalid(ImageError):
    """Strokes that are no drawing: wrong shape, not finite, or too many."""


class SketchEmpty(ImageError):
    """Nothing is drawn: less ink than a dot of the thinnest pen, or no contrast with the paper."""


class SketchSolid(ImageError):
    """Nothing but ink: so much of the canvas is dark that no line stands out from its background."""
