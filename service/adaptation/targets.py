"""The names that categories and profiles may have."""

from __future__ import annotations

import unicodedata

from service.errors import NameInvalid
from service.store.records import AdapterTarget, Scope

NAME_CHARACTERS = 500
NAME_PATTERN = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
"""The rule of `adapter_target` as a regular expression, for documents."""


def adapter_target(scope: Scope, name: str) -> AdapterTarget:
    """The target of that name, in Unicode's NFC form: equal names are one target, however they were typed.

    Raises NameInvalid for text that is no UTF-8, empty, longer than 500 characters, or has control characters or space
    at its ends.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise NameInvalid(f"the name of a {scope} has to be valid text") from None
    name = unicodedata.normalize("NFC", name)
    if not 0 < len(name) <= NAME_CHARACTERS or name != name.strip():
        raise NameInvalid(
            f"the name of a {scope} has 1 to {NAME_CHARACTERS} characters, and no space before or after it"
        )
    if any(unicodedata.category(character) == "Cc" for character in name):
        raise NameInvalid(f"the name of a {scope} has no control characters")
    return AdapterTarget(scope, name)
