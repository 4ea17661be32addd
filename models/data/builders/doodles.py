"""Quick, Draw! doodles paired with pictures that have the same name: the right kind of thing, drawn by anybody.

    python -m models.data.builders.doodles --data DIR --out DIR/doodles

No doodle was drawn from its picture, so these pairs teach categories and not instances: a cup in a stranger's hand is
still a cup. Pictures come from the training split of the emoji renders and from the Tux Paint photographs. Categories
of the zero-shot protocol and of Sketchy's `val_unseen` are left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from models.bundle import rasterise_strokes
from models.data.datasets import LayoutIncomplete, open_dataset
from models.data.datasets.unseen import STANDARD_UNSEEN, names_unseen
from models.errors import InkseekError

_PICTURES_PER_DOODLE = 4
_SAME_THING = {
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


def write_doodle_pairs(data: Path, out: Path) -> int:
    """Write a data set of doodles and copies of their pictures; return the number of pairs.

    Pictures of one name never meet in one category, since a doodle of a cup is right for every cup: the first picture
    of each name makes category `a`, the second `b` and so on. Raises DatasetError.
    """
    unseen = {
        *STANDARD_UNSEEN,
        *(record.photo.category for record in open_dataset(data / "sketchy104").records_of("val_unseen")),
    }
    photographs, renders = _tux(data / "tuxphoto"), _emoji(data / "emoji_open")
    rows: list[tuple[str, str, str, str, str]] = []
    for file in sorted((data / "quickdraw_strokes" / "strokes").glob("*.ndjson")):
        category = file.stem
        if names_unseen(category.replace("_", " "), unseen):
            continue
        pictures = [path for kind, path in photographs if kind == category]
        pictures += [path for name, path in renders if _same(name, category) and not names_unseen(name, unseen)]
        if not pictures:
            continue
        sketches = list(_draw(file, out, category))
        for rank, picture in zip("abcd", pictures[:_PICTURES_PER_DOODLE], strict=False):
            copied = out / "photos" / rank / f"{category}{picture.suffix}"
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(picture, copied)
            photo = copied.relative_to(out).as_posix()
            rows += [(sketch, photo, rank, category, "train") for sketch in sketches]
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as table:
        header = ("sketch_path", "photo_path", "category", "photo_id", "split")
        csv.writer(table).writerows([header, *rows])
    return len(rows)


def _same(name: str, category: str) -> bool:
    word = category.replace("_", " ").lower()
    return name == word or name.endswith(f" {word}") or name in _SAME_THING.get(category, ())


def _emoji(folder: Path) -> list[tuple[str, Path]]:
    """(name, path) of each render of the training split, once."""
    rows = [row for row in _table(folder / "manifest.csv") if row["split"] == "train"]
    return list({(row["name"].lower(), folder / row["photo_path"]): None for row in rows})


def _tux(folder: Path) -> list[tuple[str, Path]]:
    """(Quick, Draw! category, path) of the photographs that have one."""
    rows = [row for row in _table(folder / "photos.csv") if row["quickdraw_category"]]
    return [(row["quickdraw_category"].replace(" ", "_"), folder / row["photo_path"]) for row in rows]


def _table(path: Path) -> Sequence[Mapping[str, str]]:
    if not path.is_file():
        raise LayoutIncomplete(f"{path} is missing")
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _draw(file: Path, out: Path, category: str) -> Iterator[str]:
    """Rasterise every doodle of an ndjson file; paths below `out`."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        strokes = [list(zip(stroke[0], stroke[1], strict=True)) for stroke in json.loads(line)["drawing"]]
        sketch = out / "sketches" / category / f"{number}.png"
        sketch.parent.mkdir(parents=True, exist_ok=True)
        rasterise_strokes(strokes).save(sketch)
        yield sketch.relative_to(out).as_posix()


def main(arguments: list[str] | None = None) -> int:
    """Command line. Exit code 2: a data set that is needed is missing or broken."""
    parser = argparse.ArgumentParser(prog="python -m models.data.builders.doodles", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the data sets")
    parser.add_argument("--out", type=Path, required=True, help="usually `doodles` in the same folder")
    given = parser.parse_args(arguments)
    try:
        count = write_doodle_pairs(given.data, given.out)
    except InkseekError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{count:,} pairs written to {given.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
