"""What can be wrong with an image or a drawing.

InkseekError
└── ImageError
    ├── ImageTooLarge             more bytes, pixels, frames or work than allowed
    ├── ImageUnsupported          not one of the accepted formats
    └── ImageUnreadable           the format is known, the data is broken
"""

from models.errors import InkseekError


class ImageError(InkseekError):
    """Base of what can be wrong with an image or a drawing; to be caught as one."""


class ImageTooLarge(ImageError):
    """More bytes, pixels or work than the limits allow; detected before any pixel is decoded where it can be."""


class ImageUnsupported(ImageError):
    """Not one of the accepted image formats, by its content; the name of a file does not count."""


class ImageUnreadable(ImageError):
    """The format is known but the data is broken or truncated."""
