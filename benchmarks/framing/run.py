"""Whether the same drawing on another page, or with another pen, is answered alike.

OMP_NUM_THREADS=1 python -m benchmarks.framing.run --data DATA [--bundle BUNDLE] [--frame auto] [--doodles 74] [--json]

DATA holds `chairv2_train` (sketches of photos, with strokes) and `quickdraw_strokes` (doodles): every `val` sketch of a
chair, and as many doodles of `val` kinds, one per kind in turn. Each is drawn again from its strokes on every page of
`pages.py`. Kept: how many of the ten best photos for its strokes are among the ten best for the page, of the demo
gallery and the chairs together; beside it the same of chairs within their category, where bold lines stay as they were
drawn. acc@1: chairs, within their category. Intervals: 95 %, bootstrap over drawings.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from benchmarks.framing.measure import Answered, Material, measure
from benchmarks.framing.pages import PAGES, Strokes
from models.bundle import Bundle, Frame, Runtime, bundle_path
from models.data.datasets import open_dataset, read_photos
from models.evaluation.intervals import bootstrap
from models.evaluation.protocol import category_galleries

_GALLERY = Path(__file__).parents[2] / "examples" / "gallery" / "manifest.csv"


def material(bundle: Bundle, data: Path, doodles: int) -> Material:
    (chairs,) = category_galleries(open_dataset(data / "chairv2_train"), "val")
    drawings = [strokes for query in chairs.queries if (strokes := query.sketch.strokes()) is not None]
    assert len(drawings) == len(chairs.queries), "every chair has its strokes"
    category = bundle.photo.embed(photo.path for photo in chairs.photos)
    mixed = bundle.photo.embed(photo.path for photo in read_photos(_GALLERY))
    return Material(
        [*drawings, *_doodles(data, doodles)], np.concatenate([mixed, category]), category, chairs.targets()
    )


def _doodles(data: Path, count: int) -> Sequence[Strokes]:
    by_kind: dict[str, list[Strokes]] = {}
    for drawing in open_dataset(data / "quickdraw_strokes").split("val").labelled:
        if (strokes := drawing.sketch.strokes()) is not None:
            by_kind.setdefault(drawing.category, []).append(strokes)
    turns = max(map(len, by_kind.values()))
    return [kind[turn] for turn in range(turns) for kind in by_kind.values() if turn < len(kind)][:count]


def row(frame: Frame, page: str, answered: Answered) -> dict[str, object]:
    intervals = bootstrap(answered.kept[:, None].astype(np.float64), np.arange(len(answered.kept)), 0)
    kept = {"kept_of_ten": round(10 * float(answered.kept.mean()), 2)}
    if intervals:
        kept |= {"low": round(10 * intervals[0].low, 2), "high": round(10 * intervals[0].high, 2)}
    return {
        "frame": frame,
        "page": page,
        **kept,
        "kept_within": round(10 * answered.kept_within, 2),
        "acc_at_1": round(100 * answered.first, 1),
        "unreadable": answered.unreadable,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bundle", type=bundle_path)
    parser.add_argument("--frame", choices=get_args(Frame), action="append", help="repeatable; else auto and false")
    parser.add_argument("--doodles", type=int, default=74)
    parser.add_argument("--page", choices=sorted(PAGES), action="append", help="repeatable; all by default")
    parser.add_argument("--json", action="store_true", help="one JSON document per line in place of a table")
    given = parser.parse_args()
    bundle = Bundle.load(given.bundle, Runtime(device="cpu", threads=1))
    searched = material(bundle, given.data, given.doodles)
    pages = {name: page for name, page in PAGES.items() if not given.page or name in given.page}
    if not given.json:
        print(f"{bundle.bundle_id}: {len(searched.drawings)} drawings, {len(searched.photos):,} photos")
        print("| frame | page | kept of ten | interval | within | acc@1 | unreadable |\n|---|---|---|---|---|---|---|")
    for frame in given.frame or ("auto", "false"):
        for page, answered in measure(bundle, searched, pages, frame):
            figures = row(frame, page, answered)
            if given.json:
                print(json.dumps(figures), flush=True)
                continue
            interval = f"{figures.get('low', '')} to {figures.get('high', '')}"
            shown = (figures[name] for name in ("kept_within", "acc_at_1", "unreadable"))
            cells = (frame, page, figures["kept_of_ten"], interval, *shown)
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
