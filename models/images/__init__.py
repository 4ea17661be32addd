"""Untrusted bytes to 8-bit RGB, within limits. Without onnxruntime and torch, so that a child process stays small."""

from models.images.decoding import (
    PHOTO_FORMATS,
    SKETCH_FORMATS,
    DecodedImage,
    ImageFile,
    accepted_formats,
    decode_image,
    decodes_quickly,
    open_image,
    read_content,
)
from models.images.errors import ImageError, ImageTooLarge, ImageUnreadable, ImageUnsupported
from models.images.formats.inspection import format_of
from models.images.formats.jpeg import plain_picture
from models.images.grounds import MATTE_LEVEL, PHOTO_MATTE, SKETCH_MATTE, Matte
from models.images.isolation import IsolatedDecoder
from models.images.limits import ImageLimits, MemoryBudget

__all__ = [
    "MATTE_LEVEL",
    "PHOTO_FORMATS",
    "PHOTO_MATTE",
    "SKETCH_FORMATS",
    "SKETCH_MATTE",
    "DecodedImage",
    "ImageError",
    "ImageFile",
    "ImageLimits",
    "ImageTooLarge",
    "ImageUnreadable",
    "ImageUnsupported",
    "IsolatedDecoder",
    "Matte",
    "MemoryBudget",
    "accepted_formats",
    "decode_image",
    "decodes_quickly",
    "format_of",
    "open_image",
    "plain_picture",
    "read_content",
]
