"""An image that is written as text: base64 as encoders and `base64` print it, or a `data:` URL as a canvas makes it."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

_DATA_URL = re.compile(rb"\s*data:(?P<type>[^,]{0,200}),", re.IGNORECASE)
_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")
_SPACE = b" \t\r\n"
# How the accepted formats begin in base64: PNG, JPEG, GIF, WebP, and SVG with and without an XML declaration.
_STARTS = (b"iVBORw0KGgo", b"/9j/", b"R0lGOD", b"UklGR", b"PHN2Zy", b"PD94bWwg")
_MARKUP = (b"<", b"%3")


def is_image_text(data: bytes) -> bool:
    """Whether the bytes are an image written as text; no image and no JSON begins like that."""
    start = data[:32].lstrip()
    return start[:5].lower() == b"data:" or start.startswith(_STARTS)


def decoded_image(text: bytes) -> bytes:
    """The bytes of an image in base64, of whichever alphabet, broken into lines and padded or not; or of a `data:` URL.

    Raises ValueError, which says what is wrong.
    """
    url = _DATA_URL.match(text)
    text = text[url.end() :] if url else text
    if url and not url["type"].lower().endswith(b"base64") and text.lstrip()[:2].startswith(_MARKUP):
        return unquote_to_bytes(text)
    # Unless it validates, b64decode drops what is outside of the alphabet and decodes the rest.
    text = text.translate(_URL_ALPHABET, _SPACE).rstrip(b"=")
    if not text:
        raise ValueError("it is empty")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(f"it is not base64: {error}") from error
