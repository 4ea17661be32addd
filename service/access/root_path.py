"""Which text is a root path: the path of a proxy below which the service is reached, such as `/inkseek`."""

from __future__ import annotations

import re
from collections.abc import Iterable

OWN_SEGMENTS = frozenset({"v1", "page", "docs", "openapi.json", "livez", "readyz", "metrics"})
"""What the service's own paths begin with."""

# No more than a path needs: the text ends up in HTML and in headers. An empty segment would make `//host`, an address.
_SAFE = re.compile(r"(/(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+){1,16}")
_LONGEST = 256


def checked_root_path(text: str) -> str:
    """`text` with one slash before and none behind it; "" for none.

    Raises ValueError for what is no path, and for one that begins like the service's own paths: `/docs/docs` could then
    be either page.
    """
    root = "/" + text.strip("/") if text.strip("/") else ""
    if root and not _is_safe(root):
        raise ValueError(f"{text!r} is no path such as /inkseek: letters, digits, '-', '.', '_', '~' between slashes")
    if root and first_segment(root) in OWN_SEGMENTS:
        raise ValueError(f"{text!r} begins like a path of the service itself ({', '.join(sorted(OWN_SEGMENTS))})")
    return root


def joined_prefix(values: Iterable[str]) -> str:
    """What the `X-Forwarded-Prefix` headers of a request say together; "" where they make no path.

    Each proxy of a chain adds the prefix that it took off, so the outermost stands first.
    """
    parts = [part.strip().rstrip("/") for value in values for part in value.split(",")]
    joined = "".join(parts)
    return joined if all(_is_safe(part) for part in parts if part) and len(joined) <= _LONGEST else ""


def first_segment(root: str) -> str:
    """`inkseek` of `/inkseek/photos`."""
    return root.split("/")[1]


def _is_safe(root: str) -> bool:
    return len(root) <= _LONGEST and _SAFE.fullmatch(root) is not None
