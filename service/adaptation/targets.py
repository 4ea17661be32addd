"""The names that categories and profiles may have."""

from __future__ import annotations

from service.changes.names import NAME_CHARACTERS, checked_name
from service.store.records import AdapterTarget, Scope

__all__ = ["NAME_CHARACTERS", "NAME_PATTERN", "adapter_target"]

NAME_PATTERN = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
"""The rule of `adapter_target` as a regular expression, for documents."""


def adapter_target(scope: Scope, name: str) -> AdapterTarget:
    """The target of that name, in Unicode's NFC form: equal names are one target, however they were typed.

    Raises NameInvalid for text that is no UTF-8, empty, longer than 500 characters, or has control characters or space
    at its ends.
    """
    return AdapterTarget(scope, checked_name(scope, name))
