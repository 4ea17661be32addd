"""What a bundle, or an image for it, can be wrong in.

InkseekError
├── BundleError
│   ├── BundleNotFound            no bundle at that path
│   ├── BundleCorrupt             a file is missing, changed, or contradicts the manifest
│   ├── BundleSchemaUnsupported   written by another version of the format
│   └── RuntimeUnavailable        no onnxruntime, two of them, or no GPU where one is required
└── ImageError
    ├── ImageTooLarge             more bytes or pixels than allowed
    ├── ImageUnsupported          not one of the accepted formats
    ├── ImageUnreadable           the format is known, the data is broken
    ├── StrokesInvalid            strokes that are no drawing: wrong shape, not finite, too many
    ├── SketchEmpty               nothing is drawn
    └── SketchSolid               nothing but ink
"""

from models.errors import InkseekError


class BundleError(InkseekError):
    """A model bundle cannot be used."""


class BundleNotFound(BundleError):
    """No bundle at the given path."""


class BundleCorrupt(BundleError):
    """A file is missing, changed, or contradicts the manifest."""


class BundleSchemaUnsupported(BundleError):
    """The manifest's schema version is not one that this release reads."""


class RuntimeUnavailable(BundleError):
    """onnxruntime is missing, installed twice, or lacks the device that was required."""


class ImageError(InkseekError):
    """An image or drawing cannot be used."""


class ImageTooLarge(ImageError):
    """More bytes or pixels than the limits allow; found before the pixels were decoded."""


class ImageUnsupported(ImageError):
    """Not one of the accepted image formats."""


class ImageUnreadable(ImageError):
    """The format is known but the data is broken or truncated."""


class StrokesInvalid(ImageError):
    """Strokes that are no drawing: wrong shape, not finite, or too many."""


class SketchEmpty(ImageError):
    """Nothing is drawn."""


class SketchSolid(ImageError):
    """Nothing but ink: no line can be told from its background."""
