"""Seconds of `inkseek index update` after 1 % of the photos came, over those of a full build. Goal: 0.02 or less.

python benchmarks/index_update.py [--bundle BUNDLE] [--count 20000] [--share 0.01]

Made-up pictures of 48 px, so decoding and encoding are as cheap as they get and what remains weighs most. Stages that
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
from PIL import Image

from index_builder.build import BuildRequest, build_index, update_index

_CATEGORIES = 100


def draw(folder: Path, numbers: range) -> None:
    """A picture of a few coarse cells for each number, in one of a hundred folders."""
    for number in numbers:
        cells = np.random.default_rng(number).integers(0, 255, (6, 6, 3), dtype=np.uint8)
        path = folder / f"c{number % _CATEGORIES:03d}" / f"{number:07d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(cells).resize((48, 48), Image.Resampling.BICUBIC).save(path, compress_level=1)


def touch(paths: list[Path]) -> None:
    """Another time of change, the same content."""
    for path in paths:
        os.utime(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="small", help="a shipped bundle's name, or a directory")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--share", type=float, default=0.01)
    options = parser.parse_args()
    some = max(1, int(options.count * options.share))
    with tempfile.TemporaryDirectory() as folder:
        gallery = Path(folder) / "photos"
        draw(gallery, range(options.count))
        time.sleep(2.1)  # younger files would be read again
        request = BuildRequest(gallery, Path(folder) / "index", bundle=options.bundle)
        before_s = time.process_time()
        full = build_index(request).manifest.build
        full_cpu_s = time.process_time() - before_s
        print(json.dumps({"build": full.model_dump(), "cpu_s": round(full_cpu_s, 2)}), flush=True)
        paths = sorted(gallery.rglob("*.png"))
        chosen = [paths[number] for number in np.linspace(0, len(paths) - 1, some).astype(int).tolist()]
        changes: dict[str, Callable[[], object]] = {
            "added": lambda: draw(gallery, range(options.count, options.count + some)),
            "renamed": lambda: [path.rename(path.with_suffix(".renamed.png")) for path in chosen],
            "deleted": lambda: [path.with_suffix(".renamed.png").unlink() for path in chosen],
            "touched": lambda: touch(sorted(gallery.rglob("*.png"))[:some]),
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
