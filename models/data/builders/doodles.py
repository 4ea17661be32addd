"""Quick, Draw! doodles paired with pictures that have the same name: the right category, drawn by anybody.

No doodle was drawn from its picture, so these pairs teach categories and not instances: a stranger's drawing of a cup
is still a cup. Pictures come from the training split of the emoji renders and from the Tux Paint photographs.
Categories of the zero-shot protocol and of Sketchy's `val_unseen` are left out.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.atomic_files import write_text
from models.bundle import rasterise_strokes
from models.data.datasets import LabelledSketch, LayoutIncomplete, PairDataset, Photo, open_dataset
from models.data.datasets.unseen import STANDARD_UNSEEN, names_unseen

_HEADER = ("sketch_path", "photo_path", "category", "photo_id", "split")
_RANKS = "abcd"  # at most as many pictures per category, each in a gallery of its own
_SYNONYMS = {
    "book": ("closed book",),
    "car": ("automobile", "sport utility vehicle"),
    "cell_phone": ("mobile phone",),
    "coffee_cup": ("hot beverage",),
    "computer": ("desktop computer",),
    "cup": ("hot beverage", "teacup without handle"),
    "donut": ("doughnut",),
    "eyeglasses": ("glasses",),
    "mug": ("hot beverage",),
    "sun": ("sun with face",),
    "train": ("locomotive", "tram"),
}


@dataclass(frozen=True)
class DoodleCategory:
    """The drawings of one Quick, Draw! category, and the pictures of that name, photographs first."""

    name: str
    sketches: tuple[LabelledSketch, ...]
    pictures: tuple[Path, ...]


def doodle_categories(
    doodles: PairDataset, photographs: PairDataset, renders: PairDataset, unseen: Collection[str]
) -> Iterator[DoodleCategory]:
    """The categories that have a picture and that nothing keeps unseen, by name.

    A photograph belongs to a category by its attribute `quickdraw_category`; a render of the training split by its
    attribute `name`, which is the category's, ends with it ("red apple") or is a synonym.
    """
    photographed = [
        (name.replace(" ", "_"), photo.path)
        for photo in photographs.photos.values()
        if (name := photo.attributes.get("quickdraw_category", ""))
    ]
    rendered = [(_render_name(photo), photo.path) for photo in renders.photos.values() if photo.split == "train"]
    rendered = [(name, path) for name, path in rendered if name and not names_unseen(name, unseen)]
    sketches: dict[str, list[LabelledSketch]] = {}
    for sketch in doodles.labelled:
        sketches.setdefault(sketch.category, []).append(sketch)
    for category, drawn in sorted(sketches.items()):
        if names_unseen(category.replace("_", " "), unseen):
            continue
        pictures = [path for name, path in photographed if name == category]
        pictures += [path for name, path in rendered if _is_same(name, category)]
        if pictures:
            yield DoodleCategory(category, tuple(drawn), tuple(dict.fromkeys(pictures))[: len(_RANKS)])


def write_doodle_pairs(data: Path, out: Path) -> int:
    """Write a data set of doodles and copies of their pictures into `out`; return the number of pairs.

    `data` holds `quickdraw_strokes`, `tuxphoto`, `emoji_open` and `sketchy104`. Pictures of one name never meet in one
    category, since a doodle of a cup is right for every cup: the first picture of each name is in category `a`, the
    second in `b` and so on, each with all doodles of that name. Raises DatasetError, StrokesInvalid, OSError.
    """
    doodles = open_dataset(data / "quickdraw_strokes")
    if not doodles.labelled:
        raise LayoutIncomplete(f"{doodles.root} holds no Quick, Draw! drawings")
    # What Sketchy's split keeps unseen must not come in by another set's name for it.
    held_out = open_dataset(data / "sketchy104").records_of("val_unseen")
    unseen = {*STANDARD_UNSEEN, *(record.photo.category for record in held_out)}
    photographs, renders = open_dataset(data / "tuxphoto"), open_dataset(data / "emoji_open")
    rows: list[Sequence[str]] = []
    for category in doodle_categories(doodles, photographs, renders, unseen):
        sketches = list(_draw(category, out))
        # Not strict: a category may have fewer pictures than there are ranks.
        for rank, picture in zip(_RANKS, category.pictures, strict=False):
            photo = out / "photos" / rank / f"{category.name}{picture.suffix}"
            photo.parent.mkdir(parents=True, exist_ok=True)
            # A copy and no link: the written set must survive without the sets that it was made from.
            shutil.copyfile(picture, photo)
            name = photo.relative_to(out).as_posix()
            rows += [(sketch, name, rank, category.name, "train") for sketch in sketches]
    out.mkdir(parents=True, exist_ok=True)
    table = io.StringIO(newline="")
    csv.writer(table).writerows([_HEADER, *rows])
    write_text(out / "manifest.csv", table.getvalue())
    return len(rows)


def _render_name(photo: Photo) -> str:
    return photo.attributes.get("name", "").lower()


def _is_same(name: str, category: str) -> bool:
    word = category.replace("_", " ").lower()
    return name == word or name.endswith(f" {word}") or name in _SYNONYMS.get(category, ())


def _draw(category: DoodleCategory, out: Path) -> Iterator[str]:
    """Rasterise every doodle, scaled to the canvas; paths below `out`."""
    for number, doodle in enumerate(category.sketches):
        sketch = out / "sketches" / category.name / f"{number}.png"
        sketch.parent.mkdir(parents=True, exist_ok=True)
        rasterise_strokes(doodle.sketch.strokes() or ()).save(sketch)
        yield sketch.relative_to(out).as_posix()
