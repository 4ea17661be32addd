"""Photo ids: text that survives a URL, a JSON document and a rebuild on another machine."""

from __future__ import annotations

import unicodedata

MAX_ID_CHARACTERS = 1024  # an id is part of a URL, whose length clients and proxies limit
_NO_PARTS = frozenset(("", ".", ".."))


class PhotoIdInvalid(ValueError):
    """A path or name that cannot be a photo id; the message says why."""


def photo_id_from(text: str) -> str:
    """`text` as a photo id: in Unicode's composed form (NFC), since file systems disagree about it.

    Raises PhotoIdInvalid for empty or overlong text, invalid UTF-8, control characters, and for empty, `.` or `..`
    parts between slashes (clients would resolve them away).
    """
    if is_plain := text.isascii() and text.isprintable():  # as nearly every name is
        photo_id = text
    else:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise PhotoIdInvalid("the name is not valid UTF-8") from None
        photo_id = unicodedata.normalize("NFC", text)
    if not 0 < len(photo_id) <= MAX_ID_CHARACTERS:
        raise PhotoIdInvalid(f"an id has 1 to {MAX_ID_CHARACTERS} characters, this one has {len(photo_id)}")
    if not is_plain and any(unicodedata.category(character) == "Cc" for character in photo_id):
        raise PhotoIdInvalid("the name holds control characters")
    if not _NO_PARTS.isdisjoint(photo_id.split("/")):
        raise PhotoIdInvalid("an id has no empty, '.' or '..' part between its slashes")
    return photo_id


def category_from(path: str) -> str:
    """The first folder of a path or id, in NFC; "" (no category) for a photo outside of any folder."""
    first, slash, _ = path.partition("/")
    return unicodedata.normalize("NFC", first) if slash else ""
