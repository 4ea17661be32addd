"""Seconds of `inkseek index update` after 1 % of the photos came, over those of a full build. Goal: 0.02 or less.

python -m benchmarks.indexing.update [--bundle stand-in] [--count 200000] [--share 0.01] [--photos DIR] [--folder DIR]

Photos are real ones, encoded anew, and the encoder takes microseconds, so decoding and encoding are as cheap as they
get and what remains weighs most: with a bundle that ships, the share is lower. Stages that
take time with the whole gallery (listing, comparing, measuring) are printed apart from those of the new photos. Then
the same share is renamed, deleted, and touched, and nothing is changed at all. On a busy machine compare the seconds
of CPU (`cpu_s`), which other processes do not lengthen.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.indexing.galleries import EXAMPLES, LONGER_PX, encode_anew, read_originals
from benchmarks.indexing.stand_in import bundle_or_stand_in
from index_builder.build import BuildRequest, build_index, update_index


def touch(paths: list[Path]) -> None:
    """Another time of change, the same content."""
    for path in paths:
        os.utime(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="stand-in", help="a bundle's name or directory")
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--photos", type=Path, default=EXAMPLES)
    parser.add_argument("--px", type=int, default=LONGER_PX, help="longer side of the photos made from them")
    parser.add_argument("--folder", type=Path, help="where to put the photos and the index")
    parser.add_argument("--share", type=float, default=0.01)
    options = parser.parse_args()
    some = max(1, int(options.count * options.share))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        gallery, originals = Path(folder) / "photos", read_originals(options.photos, options.px)
        encode_anew(gallery, originals, range(options.count))
        time.sleep(2.1)  # younger files would be read again
        bundle = bundle_or_stand_in(options.bundle, Path(folder))
        request = BuildRequest(gallery, Path(folder) / "index", bundle=bundle)
        before_s = time.process_time()
        full = build_index(request).manifest.build
        full_cpu_s = time.process_time() - before_s
        print(json.dumps({"build": full.model_dump(), "cpu_s": round(full_cpu_s, 2)}), flush=True)
        paths = sorted(gallery.rglob("*.jpg"))
        chosen = [paths[number] for number in np.linspace(0, len(paths) - 1, some).astype(int).tolist()]
        changes: dict[str, Callable[[], object]] = {
            "added": lambda: encode_anew(gallery, originals, range(options.count, options.count + some)),
            "renamed": lambda: [path.rename(path.with_suffix(".renamed.jpg")) for path in chosen],
            "deleted": lambda: [path.with_suffix(".renamed.jpg").unlink() for path in chosen],
            "touched": lambda: touch(sorted(gallery.rglob("*.jpg"))[:some]),
            "nothing": lambda: None,
        }
        for name, change in changes.items():
            change()
            started, before_s = time.perf_counter(), time.process_time()
            result = update_index(request)
            seconds, cpu_s = time.perf_counter() - started, time.process_time() - before_s
            summary = result.manifest.build
            print(
                json.dumps(
                    {
                        name: some,
                        "seconds": round(seconds, 2),
                        "of_a_build": round(seconds / full.seconds, 4),
                        "cpu_s": round(cpu_s, 2),
                        "cpu_of_a_build": round(cpu_s / full_cpu_s, 4),
                        "segments": len(result.manifest.segments),
                        **({} if result.unchanged else {"embedded": summary.embedded, "stages_s": summary.stages_s}),
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
