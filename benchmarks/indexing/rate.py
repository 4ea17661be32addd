"""Photos/s of `inkseek index build` over a bare loop of decode, prepare and encode on the same files. Goal: ≥ 0.9.

python -m benchmarks.indexing.rate [--bundle BUNDLE] [--photos DIR] [--count 600] [--rounds 5]

The bare loop is Pillow and the encoder in as many threads as the builder has, in batches of the same size; a JPEG is
decoded at the smallest scale that feeds the encoder. The builder reads, hashes, decodes, prepares, encodes, makes
thumbnails and writes. Both take the same files, in turns; a ratio is that of one round, and the median of all counts.
`embedding` is from the first photo to the merged segment, which grows with the photos; `whole` adds what a build does
once, such as loading the encoders. On a busy machine compare the seconds of CPU (`cpu_embedding_over_bare`), which
other processes lengthen little.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.indexing.galleries import EXAMPLES, photo_paths
from benchmarks.indexing.stand_in import bundle_or_stand_in
from index_builder.build import BuildRequest, Stage, build_index
from models.arrays import Vectors
from models.bundle import Bundle, Encoder, Runtime, cpu_quota

_BATCH = 2  # as the builder takes them on a CPU


def prepared(encoder: Encoder, path: Path) -> Vectors:
    """One input of the encoder, by the shortest way there is."""
    with Image.open(path) as image:
        size_px = encoder.preprocess.size_px
        image.draft("RGB", (size_px, size_px))
        return encoder.prepare(image.convert("RGB"))


@dataclass(frozen=True)
class Rates:
    """Photos per second of the clock, and per second of CPU."""

    clock: float
    cpu: float


def bare_rates(encoder: Encoder, paths: Sequence[Path], workers: int) -> Rates:
    """Of decode, prepare and encode."""

    def embed(start: int) -> None:
        encoder.encode(np.stack([prepared(encoder, path) for path in paths[start : start + _BATCH]]))

    clock, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(embed, range(0, len(paths), _BATCH)))
    return Rates(len(paths) / (time.perf_counter() - clock), len(paths) / (time.process_time() - cpu))


def builder_rates(photos: Path, bundle: str) -> tuple[Rates, float, dict[str, float]]:
    """Of embedding and merging; photos/s from the first file to the published version; the seconds of each stage."""
    moments: dict[str, tuple[float, float]] = {}

    def progress(stage: Stage, done: int, total: int | None) -> None:
        if stage not in moments:
            moments[stage] = time.perf_counter(), time.process_time()

    with tempfile.TemporaryDirectory() as folder:
        manifest = build_index(BuildRequest(photos, Path(folder) / "index", bundle=bundle), progress).manifest
    clock_s, cpu_s = (moments["index"][kind] - moments["photos"][kind] for kind in (0, 1))
    whole = manifest.count / manifest.build.seconds
    return Rates(manifest.count / clock_s, manifest.count / cpu_s), whole, manifest.build.stages_s


def linked(photos: Path, count: int, folder: Path) -> list[Path]:
    """A gallery of `count` of the photos, evenly chosen."""
    found = photo_paths(photos)
    chosen = [found[number] for number in np.linspace(0, len(found) - 1, min(count, len(found))).astype(int).tolist()]
    paths = []
    for number, path in enumerate(chosen):
        copy = folder / path.parent.name / f"{number:05d}{path.suffix}"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        paths.append(copy)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="small", help="a shipped bundle's name, a directory, or stand-in")
    parser.add_argument("--photos", type=Path, default=EXAMPLES)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        bundle = bundle_or_stand_in(options.bundle, Path(name))
        paths = linked(options.photos, options.count, Path(name) / "photos")
        encoder = Bundle.load(bundle, Runtime(threads=1)).photo
        rounds = []
        for number in range(options.rounds):
            # Whoever comes first finds the machine as the other left it, so they take turns at that, too.
            if number % 2:
                built = builder_rates(Path(name) / "photos", bundle)
                bare = bare_rates(encoder, paths, cpu_quota())
            else:
                bare = bare_rates(encoder, paths, cpu_quota())
                built = builder_rates(Path(name) / "photos", bundle)
            embedding, whole, stages_s = built
            rounds.append((embedding.clock / bare.clock, embedding.cpu / bare.cpu, whole / bare.clock))
            figures = {"bare": round(bare.clock, 1), "embedding": round(embedding.clock, 1), "whole": round(whole, 1)}
            cpu_ms = {"bare_cpu_ms": round(1000 / bare.cpu, 2), "embedding_cpu_ms": round(1000 / embedding.cpu, 2)}
            print(json.dumps({**figures, **cpu_ms, "stages_s": stages_s}), flush=True)
    names = ("embedding_over_bare", "cpu_embedding_over_bare", "whole_over_bare")
    medians = (round(statistics.median(ratios), 3) for ratios in zip(*rounds, strict=True))
    figures = {"photos": len(paths), **dict(zip(names, medians, strict=True))}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
