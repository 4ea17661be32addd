"""Text that may name a photo, a category or a profile."""

from __future__ import annotations

import unicodedata

from index_builder.artifact import PICTURE_SUFFIXES
from service.errors import NameInvalid
from service.store.records import EXAMPLE_PREFIX

NAME_CHARACTERS = 500


def checked_name(kind: str, name: str) -> str:
    """The name in Unicode's NFC form: equal names are one, however they were typed. `kind`: for the message.

    Raises NameInvalid for text that is no UTF-8, empty, longer than 500 characters, or has control characters or space
    at its ends.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise NameInvalid(f"the name of a {kind} has to be valid text") from None
    name = unicodedata.normalize("NFC", name)
    if not 0 < len(name) <= NAME_CHARACTERS or name != name.strip():
        raise NameInvalid(
            f"the name of a {kind} has 1 to {NAME_CHARACTERS} characters, and no space before or after it"
        )
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise NameInvalid(f"the name of a {kind} has no control characters")
    return name


def new_photo_id(photo_id: str) -> str:
    """The id as a photo can be uploaded under it. Raises NameInvalid.

    An id is no path of a file. One that ends as the path of a picture does would hide that of another photo.
    """
    photo_id = checked_name("photo", photo_id)
    if photo_id.startswith(EXAMPLE_PREFIX):
        raise NameInvalid(f"ids that begin with {EXAMPLE_PREFIX!r} are given to the photos of examples")
    parts = photo_id.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise NameInvalid("the id of a photo has no empty part between slashes, nor one of dots alone")
    if photo_id.endswith(PICTURE_SUFFIXES):
        raise NameInvalid(f"the id of a photo does not end with {', '.join(PICTURE_SUFFIXES)}")
    return photo_id


def category_of(photo_id: str) -> str:
    """What a photo's category is where nothing else is said: the first part of its id, as in a folder of photos."""
    return photo_id.partition("/")[0] if "/" in photo_id else ""
