"""The Sketchy Database as it unpacks: `256x256/photo|sketch/tx_*/<category>/` and the separate archive `info`.

Photos are `<photo>.jpg`, sketches `<photo>-<number>.png`; numbers exceed 9. A rendering `tx_*` says how an image was
placed on its canvas. `info/testset.txt` lists the photos of the official test split, `info/invalid-*.txt` the sketches
that its makers found bad; they are all still in the folders. In these lists categories may be written with spaces.
"""

from __future__ import annotations

import re
from pathlib import Path

from models.data.datasets.files.folders import bases, before_last, folders_in, images_in, lines_of, required_bases
from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.errors import LayoutIncomplete
from models.data.datasets.records.findings import FindingKind
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import Photo, PhotoKey
from models.data.datasets.records.sketch_source import ImageSketch

REQUIRES = "256x256/photo/tx_*/<category>/ and 256x256/sketch/tx_*/<category>/"

# In both, the sketch lies on the photo's canvas as it was drawn: stretched to the square, or cropped around the object.
_FINE_GRAINED = ("tx_000000000000", "tx_000100000000")


def recognises(root: Path) -> bool:
    """Whether the rendered images are there."""
    return bool(bases(root, _holds_renderings))


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read one rendering. Raises LayoutIncomplete, with the renderings that are there."""
    folders = required_bases(root, _holds_renderings, REQUIRES)
    base = folders[0]
    photos, sketches = _renderings(base, options)
    info = _info_folder(root, base)
    collector = Collector(root, options.keep_marked)
    tested = _test_photos(info)
    if tested is None:
        collector.note(FindingKind.MISSING_FILE, "info/testset.txt", "missing: everything is in one split, `all`")
    for category in folders_in(photos):
        for path in images_in(category):
            collector.add_photo(Photo(PhotoKey(category.name, path.stem), path, _split(path, tested)))
    marks = _marks(info)
    for category in folders_in(sketches):
        for path in images_in(category):
            _add_sketch(collector, path, tested, marks)
    _note_missing_photos(collector, tested)
    return collector.build(root.name, "sketchy")


def _holds_renderings(folder: Path) -> bool:
    return all(any(p.name.startswith("tx_") for p in folders_in(folder / kind)) for kind in ("photo", "sketch"))


def _renderings(base: Path, options: ReadOptions) -> tuple[Path, Path]:
    there = {kind: [p.name for p in folders_in(base / kind)] for kind in ("photo", "sketch")}
    both = [name for name in there["photo"] if name in there["sketch"]]
    fallback = next((name for name in (*_FINE_GRAINED, *both) if name in both), there["photo"][0])
    photo = options.rendering or fallback
    sketch = options.sketch_rendering or (photo if photo in there["sketch"] else fallback)
    for kind, rendering in (("photo", photo), ("sketch", sketch)):
        if rendering not in there[kind]:
            raise LayoutIncomplete(f"{base / kind} has no rendering {rendering!r}; it has {', '.join(there[kind])}")
    return base / "photo" / photo, base / "sketch" / sketch


def _info_folder(root: Path, base: Path) -> Path | None:
    around = [root, base, base.parent]
    candidates = [inner for place in around for inner in (place / "info", *place.glob("info*/info"), place)]
    return next((folder for folder in candidates if any(folder.glob("invalid-*.txt")) or _lists(folder)), None)


def _lists(folder: Path) -> bool:
    return (folder / "testset.txt").is_file()


def _same_category(name: str) -> str:
    """`hot-air balloon` and `hot-air_balloon` are one."""
    return re.sub(r"[ _-]+", "_", name.strip().lower())


def _test_photos(info: Path | None) -> frozenset[tuple[str, str]] | None:
    """(category, photo id) of each line `<category>/<photo>.jpg`; None where there is no list."""
    if info is None or not _lists(info):
        return None
    lines = [line.rpartition("/") for line in lines_of(info / "testset.txt")]
    return frozenset((_same_category(category), Path(name).stem) for category, _, name in lines)


def _split(photo: Path, tested: frozenset[tuple[str, str]] | None, photo_id: str = "") -> str:
    if tested is None:
        return "all"
    return "test" if (_same_category(photo.parent.name), photo_id or photo.stem) in tested else "train"


def _marks(info: Path | None) -> dict[str, set[str]]:
    """Sketch id -> the lists that it is in. All of the lists count."""
    marks: dict[str, set[str]] = {}
    for table in sorted(info.glob("invalid-*.txt")) if info else []:
        for line in lines_of(table):
            marks.setdefault(line.rpartition("/")[2].removesuffix(".png"), set()).add(table.stem)
    return marks


def _add_sketch(
    collector: Collector, path: Path, tested: frozenset[tuple[str, str]] | None, marks: dict[str, set[str]]
) -> None:
    parts = before_last(path.stem, "-")
    if parts is None:
        collector.note(FindingKind.BAD_NAME, path, "a sketch's name is <photo>-<number>; left out")
        return
    photo = PhotoKey(path.parent.name, parts[0])
    sketch = ImageSketch(collector.name_of(path), path)
    collector.add_sketch(sketch, photo, _split(path, tested, parts[0]), marks=marks.get(path.stem, ()))


def _note_missing_photos(collector: Collector, tested: frozenset[tuple[str, str]] | None) -> None:
    there = {(_same_category(key.category), key.photo_id) for key in collector.photos}
    for category, photo_id in sorted((tested or frozenset()) - there):
        collector.note(
            FindingKind.MISSING_FILE, f"{category}/{photo_id}", "testset.txt names this photo; it is missing"
        )
