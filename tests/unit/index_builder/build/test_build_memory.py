"""A build stays within a container's memory, whatever the gallery holds, and lists what it left out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.images.costs_of_files import deep_png
from tests.unit.images.poison_files import encoded

ROOT = Path(__file__).resolve().parents[4]
LIMIT_BYTES = 2 * 2**30
BUILD = f"""
import json, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_DATA, ({LIMIT_BYTES}, {LIMIT_BYTES}))
from index_builder.build import BuildRequest, build_index
result = build_index(BuildRequest(Path(sys.argv[1]), Path(sys.argv[2]), bundle=Path(sys.argv[3]), workers=2))
peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps({{"count": result.manifest.count, "skipped": result.manifest.build.skipped, "peaks_mib": peaks}}))
"""


@pytest.mark.parametrize(("side", "colour", "indexed"), [(7_000, 0, 4), (5_000, 6, 4), (10_000, 0, 1)])
def test_three_deep_pngs_do_not_take_a_build_down(
    tmp_path: Path, tiny_bundle_dir: Path, side: int, colour: int, indexed: int
) -> None:
    """95 KB each: they took 3.3 GB, and a container of 2 GiB was killed. Beyond 50 megapixels they are left out."""
    photos = tmp_path / "photos"
    photos.mkdir()
    data = deep_png(side, colour)
    for number in range(3):
        (photos / f"{number}.png").write_bytes(data)
    (photos / "good.png").write_bytes(encoded(64, "PNG"))
    ended = subprocess.run(
        [sys.executable, "-c", BUILD, photos, tmp_path / "index", tiny_bundle_dir],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert (result["count"], sum(result["skipped"].values())) == (indexed, 4 - indexed)
    # Two children at most, and the largest of them counts for both.
    parent_mib, child_mib = result["peaks_mib"]
    assert parent_mib + 2 * child_mib < LIMIT_BYTES / 2**20
