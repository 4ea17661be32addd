"""The choices that a caller has in reading a data set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadOptions:
    """Every field concerns the formats that have such a choice and is ignored by others.

    `rendering`: Sketchy's rendering of the photos, e.g. `tx_000100000000`; empty: the first of its two fine-grained
    ones that is there. `sketch_rendering`: the sketches'; empty: the same. `keep_marked`: keep the sketches that the
    set's own lists mark as bad. `strokes`: FS-COCO's raw strokes instead of its images of the sketches.
    """

    rendering: str = ""
    sketch_rendering: str = ""
    keep_marked: bool = False
    strokes: bool = False
