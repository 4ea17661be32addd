"""What reading a data set found wrong: nothing is left out without a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """The kinds of finding. `MARKED` and `SHARED_SKETCH` are no flaws: the data set itself says so."""

    MARKED = "marked"  # a sketch that the set itself marks as bad; left out unless requested
    SHARED_SKETCH = "shared_sketch"  # one sketch of several photos, as in sets paired by name; every pair is kept
    MISSING_PHOTO = "missing_photo"  # a sketch whose photo is missing; left out
    MISSING_FILE = "missing_file"  # a list or table names a file that is missing; left out
    UNLISTED = "unlisted"  # there, but in none of the lists that divide the set; sketches are left out
    BAD_NAME = "bad_name"  # a name that does not say which photo it belongs to; left out
    DUPLICATE_ID = "duplicate_id"  # two files claim one identity; the first in order of names is used
    DUPLICATE_CONTENT = "duplicate_content"  # the same bytes under two identities; both are used
    SPLIT_LEAK = "split_leak"  # one photo or sketch on both sides of a split
    UNREADABLE = "unreadable"  # broken, or no image or drawing at all
    NO_INK = "no_ink"  # a sketch that shows nothing, or nothing but ink


@dataclass(frozen=True, order=True)
class Finding:
    """`where`: the sketch or photo by its name in the set. `detail`: the rest of a
    sentence about it, for people. Ordered by kind, then name."""

    kind: FindingKind
    where: str
    detail: str

    @property
    def is_flaw(self) -> bool:
        """Whether strict reading rejects it."""
        return self.kind not in (FindingKind.MARKED, FindingKind.SHARED_SKETCH)

    @property
    def is_unusable(self) -> bool:
        """Whether `where` is in the set, but cannot be decoded into something to learn from."""
        return self.kind in (FindingKind.UNREADABLE, FindingKind.NO_INK)


def summarise(findings: Iterable[Finding]) -> str:
    """`3 missing_photo, 1 no_ink`, the most frequent first."""
    return ", ".join(f"{count:,} {kind}" for kind, count in Counter(f.kind for f in findings).most_common())
