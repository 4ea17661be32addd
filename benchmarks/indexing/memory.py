"""Memory of a build by the number of photos: it must not grow from 10,000 to 200,000. Goal: at most 1.1 times.

python -m benchmarks.indexing.memory [--sizes 10000 200000] [--photos DIR] [--folder DIR] [--bundle stand-in]

Photos are real ones, encoded anew; `--photos` names them, `--folder` where to put the new ones and the index. Counted
is anonymous memory, which nothing but the process can give back, by the stage that it is in: pages of mapped files,
such as vectors, belong to the system. `--kind` is flat, since a graph over all photos is as large as they are many.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from benchmarks.indexing.galleries import EXAMPLES, LONGER_PX, encode_anew, read_originals
from benchmarks.indexing.stand_in import bundle_or_stand_in
from index_builder.build import BuildRequest, build_index
from index_builder.stores.plan import KindChoice

_EVERY_S = 0.02


def anonymous_mib() -> float:
    """Anonymous resident memory of this process."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status does not tell anonymous memory")


class Peaks:
    """The highest memory in each stage of a build; use as a context manager."""

    def __init__(self) -> None:
        """Looks at nothing before it is entered."""
        self.stage = "start"
        self.mib: dict[str, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Peaks:
        """Begin to look, many times a second."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """End it."""
        self._ended.set()
        self._thread.join()

    def begin(self, stage: object, done: int, total: int | None) -> None:
        """A build's progress."""
        self.stage = str(stage)

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_S):
            stage, mib = self.stage, anonymous_mib()
            self.mib[stage] = max(self.mib.get(stage, 0.0), mib)


def build_once(gallery: Path, out: Path, bundle: str, kind: KindChoice) -> None:
    """A build in this process; prints its peaks."""
    with Peaks() as peaks:
        manifest = build_index(BuildRequest(gallery, out, bundle=bundle, kind=kind), peaks.begin).manifest
    figures = {stage: round(mib, 1) for stage, mib in peaks.mib.items()}
    print(
        json.dumps(
            {
                "photos": manifest.count,
                "peak_mib": max(figures.values()),
                "by_stage_mib": figures,
                "seconds": manifest.build.seconds,
                "photos_per_s": manifest.build.photos_per_s,
                "stages_s": manifest.build.stages_s,
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 200_000])
    parser.add_argument("--photos", type=Path, default=EXAMPLES)
    parser.add_argument("--px", type=int, default=LONGER_PX, help="longer side of the photos made from them")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--bundle", default="stand-in", help="a bundle's name or directory")
    parser.add_argument("--kind", default="flat", choices=["auto", "flat", "hnsw", "ivfpq"])
    parser.add_argument("--once", nargs=2, type=Path, metavar=("GALLERY", "INDEX"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        gallery, out = options.once
        build_once(gallery, out, options.bundle, options.kind)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder, drawn, peaks = Path(name), 0, []
        bundle, originals = bundle_or_stand_in(options.bundle, folder), read_originals(options.photos, options.px)
        for size in sorted(options.sizes):
            encode_anew(folder / "photos", originals, range(drawn, size))
            drawn = size
            # A process for each build: what the one before left in the heap would count as this one's.
            command = [sys.executable, "-m", "benchmarks.indexing.memory", "--bundle", bundle, "--kind", options.kind]
            done = subprocess.run(
                [*command, "--once", folder / "photos", folder / f"index-{size}"],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            print(done.stdout, end="", flush=True)
            peaks.append(json.loads(done.stdout)["peak_mib"])
    print(json.dumps({"largest_over_smallest": round(peaks[-1] / peaks[0], 3)}))


if __name__ == "__main__":
    main()
