"""Images in folders of their category: `photos/<category>/` and `sketches/<category>/`, without any table.

A sketch that lies in `sketches/<category>/` itself has a category and no photo, as in the sketch and photo domains of
PACS; one in `sketches/<category>/<photo id>/` belongs to that photo. Nothing is divided into splits.
"""

from __future__ import annotations

from pathlib import Path

from models.data.datasets.files.folders import folders_in, images_in
from models.data.datasets.records.collector import Collector
from models.data.datasets.records.dataset import PairDataset
from models.data.datasets.records.errors import LayoutIncomplete
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import LabelledSketch, Photo, PhotoKey
from models.data.datasets.records.sketch_source import ImageSketch

REQUIRES = "photos/<category>/ or sketches/<category>/ with images (in the folder itself)"


def recognises(root: Path) -> bool:
    """Whether a folder of either kind holds an image."""
    categories = [*folders_in(root / "photos"), *folders_in(root / "sketches")]
    # The folder itself only: two levels down, any collection of data sets would look like one.
    return any(images_in(folder) for folder in categories)


def read(root: Path, options: ReadOptions) -> PairDataset:
    """Read both folders. Raises LayoutIncomplete."""
    if not recognises(root):
        raise LayoutIncomplete(f"{root} has no {REQUIRES}")
    collector = Collector(root, options.keep_marked)
    for category in folders_in(root / "photos"):
        for path in images_in(category):
            collector.add_photo(Photo(PhotoKey(category.name, path.stem), path))
    for category in folders_in(root / "sketches"):
        for path in images_in(category):
            collector.add_labelled(LabelledSketch(ImageSketch(collector.name_of(path), path), category.name))
        for photo in folders_in(category):
            for path in images_in(photo):
                key = PhotoKey(category.name, photo.name)
                collector.add_sketch(ImageSketch(collector.name_of(path), path), key, "")
    return collector.build(root.name, "category-folders")
