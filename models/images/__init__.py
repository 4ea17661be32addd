"""Untrusted bytes to 8-bit RGB, within limits. Without onnxruntime and torch, so that a child process stays small."""

from models.images.decoding import (
    FORMATS,
    PHOTO_MATTE,
    SKETCH_MATTE,
    DecodedImage,
    ImageFile,
    ImageLimits,
    Matte,
    decode_image,
    open_image,
    read_content,
)
from models.images.errors import ImageError, ImageTooLarge, ImageUnreadable, ImageUnsupported

__all__ = [
    "FORMATS",
    "PHOTO_MATTE",
    "SKETCH_MATTE",
    "DecodedImage",
    "ImageError",
    "ImageFile",
    "ImageLimits",
    "ImageTooLarge",
    "ImageUnreadable",
    "ImageUnsupported",
    "Matte",
    "decode_image",
    "open_image",
    "read_content",
]
