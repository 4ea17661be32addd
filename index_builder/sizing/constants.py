"""What one photo costs, measured with the small bundle (E = 992) on two cores of a server CPU.

`benchmarks/index_table` measures the indexes again, `benchmarks/indexing/rate.py` the embedding; docs/howto/scale.md
has the figures that these constants come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MEASURED_DIM = 992
MEASURED_CODES = 256  # of these, as a graph over codes compares them
MEASURED_PHOTOS = 35_000


@dataclass(frozen=True)
class Costs:
    """CPU seconds and bytes per photo.

    `embedding_cpu_s`: from the file to the row, by bundle, for photos of up to 256 px; larger ones take longer to
    decode. `graph_cpu_s`, `codes_graph_cpu_s`, `lists_cpu_s`: adding a row to each kind of index, for 35,000 rows of
    992 numbers, of 256 codes. `scan_cpu_s`: one row's share of an exact search. `photo_row_bytes`: a photo's row with
    its thumbnail.
    """

    embedding_cpu_s: Mapping[str, float]
    graph_cpu_s: float
    codes_graph_cpu_s: float
    lists_cpu_s: float
    scan_cpu_s: float
    photo_row_bytes: int


COSTS = Costs(
    # 238 photos/s on two busy cores with an encoder of 4.3 ms, where default and small take 8.1; resnet18 132.
    embedding_cpu_s=MappingProxyType({"small": 0.0122, "default": 0.0122, "resnet18": 0.0152}),
    graph_cpu_s=26.8 / 35_000,
    codes_graph_cpu_s=9.0 / 35_000,
    lists_cpu_s=9.6 / 35_000,
    scan_cpu_s=0.004764 / 35_000,
    photo_row_bytes=8_600,  # the demo gallery's 1,638 photos: 14.1 MB
)
