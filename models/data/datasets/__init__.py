"""Sketch-photo data sets as their downloads are, read into one shape.

dataset = open_dataset(Path("ShoeV2"), log=print)      # the layout is recognised from the folder
dataset = check_content(dataset)                       # decodes every image once; see `findings`
for record in dataset.split("test").records:
    record.sketch.image(), dataset.photo_of(record).path, record.person
"""

from models.data.datasets.below import require_below
from models.data.datasets.content_check import check_content
from models.data.datasets.layouts.photo_manifest import read_photos
from models.data.datasets.opening import FORMATS, Format, open_dataset
from models.data.datasets.records.bitmap_sketch import BitmapSketch
from models.data.datasets.records.dataset import Count, PairDataset
from models.data.datasets.records.errors import (
    ColumnMissing,
    DatasetError,
    DatasetFlawed,
    DatasetNotFound,
    FormatAmbiguous,
    FormatUnknown,
    LayoutIncomplete,
    PickleRejected,
    SplitMissing,
)
from models.data.datasets.records.findings import Finding, FindingKind, summarise
from models.data.datasets.records.json_sketches import JsonStrokeSketch, LineSketch, TracedSketch
from models.data.datasets.records.mirrored import MirroredSketch, mirrored
from models.data.datasets.records.options import ReadOptions
from models.data.datasets.records.record import LabelledSketch, Photo, PhotoKey, SketchRecord
from models.data.datasets.records.sketch_source import ImageSketch, SketchSource, Strokes, StrokeSketch

__all__ = [
    "FORMATS",
    "BitmapSketch",
    "ColumnMissing",
    "Count",
    "DatasetError",
    "DatasetFlawed",
    "DatasetNotFound",
    "Finding",
    "FindingKind",
    "Format",
    "FormatAmbiguous",
    "FormatUnknown",
    "ImageSketch",
    "JsonStrokeSketch",
    "LabelledSketch",
    "LayoutIncomplete",
    "LineSketch",
    "MirroredSketch",
    "PairDataset",
    "Photo",
    "PhotoKey",
    "PickleRejected",
    "ReadOptions",
    "SketchRecord",
    "SketchSource",
    "SplitMissing",
    "StrokeSketch",
    "Strokes",
    "TracedSketch",
    "check_content",
    "mirrored",
    "open_dataset",
    "read_photos",
    "require_below",
    "summarise",
]
