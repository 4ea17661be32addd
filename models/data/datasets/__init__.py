"""The public data sets as their downloads are, read into one shape.

dataset = open_dataset(Path("ShoeV2"), say=print)      # which format it is, is seen from the folder
dataset = check_content(dataset)                       # decodes everything once; see `findings`
for record in dataset.split("test").records:
    record.sketch.image(), dataset.photo_of(record).path, record.person
"""

from models.data.datasets.content_check import check_content
from models.data.datasets.dataset import Count, PairDataset, SketchRecord
from models.data.datasets.errors import (
    DatasetError,
    DatasetFlawed,
    DatasetNotFound,
    FormatAmbiguous,
    FormatUnknown,
    LayoutIncomplete,
    PickleRefused,
)
from models.data.datasets.findings import Finding, Kind
from models.data.datasets.opening import FORMATS, Format, open_dataset
from models.data.datasets.options import ReadOptions
from models.data.datasets.sketch_source import ImageSketch, JsonStrokeSketch, SketchSource, StrokeSketch

__all__ = [
    "FORMATS",
    "Count",
    "DatasetError",
    "DatasetFlawed",
    "DatasetNotFound",
    "Finding",
    "Format",
    "FormatAmbiguous",
    "FormatUnknown",
    "ImageSketch",
    "JsonStrokeSketch",
    "Kind",
    "LayoutIncomplete",
    "PairDataset",
    "PickleRefused",
    "ReadOptions",
    "SketchRecord",
    "SketchSource",
    "StrokeSketch",
    "check_content",
    "open_dataset",
]
