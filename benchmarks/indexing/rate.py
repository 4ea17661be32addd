"""Photos/s of `inkseek index build` over a bare loop of decode, prepare and encode on the same files. Goal: ≥ 0.9.

python -m benchmarks.indexing.rate [--bundle BUNDLE] [--photos DIR] [--count 600] [--rounds 5]

The bare loop is Pillow and the encoder in as many threads as the builder has, in batches of the same size; a JPEG is
decoded at the smallest scale that feeds the encoder. The builder reads, hashes, decodes, prepares, encodes, makes
thumbnails and writes. Both take the same files, in turns; a ratio is that of one round, and the median of all counts.
`embedding` is the stage that grows with the photos; `whole` adds what a build does once, such as measuring how each
category faces, and counts heavily among few photos.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.indexing.galleries import EXAMPLES, photo_paths
from benchmarks.indexing.stand_in import bundle_or_stand_in
from index_builder.build import BuildRequest, build_index
from models.arrays import Vectors
from models.bundle import Bundle, Encoder, Runtime, cpu_quota

_BATCH = 2  # as the builder takes them on a CPU


def prepared(encoder: Encoder, path: Path) -> Vectors:
    """One input of the encoder, by the shortest way there is."""
    with Image.open(path) as image:
        size_px = encoder.preprocess.size_px
        image.draft("RGB", (size_px, size_px))
        return encoder.prepare(image.convert("RGB"))


def bare_rate(encoder: Encoder, paths: Sequence[Path], workers: int) -> float:
    """Photos/s of decode, prepare and encode."""

    def embed(start: int) -> None:
        encoder.encode(np.stack([prepared(encoder, path) for path in paths[start : start + _BATCH]]))

    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(embed, range(0, len(paths), _BATCH)))
    return len(paths) / (time.perf_counter() - started)


def builder_rate(photos: Path, bundle: str) -> tuple[float, float, dict[str, float]]:
    """Photos/s while embedding, from the first file to the published version, and the seconds of each stage."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = build_index(BuildRequest(photos, Path(folder) / "index", bundle=bundle)).manifest
    return manifest.build.photos_per_s, manifest.count / manifest.build.seconds, manifest.build.stages_s


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
                built = builder_rate(Path(name) / "photos", bundle)
                bare = bare_rate(encoder, paths, cpu_quota())
            else:
                bare = bare_rate(encoder, paths, cpu_quota())
                built = builder_rate(Path(name) / "photos", bundle)
            embedding, whole, stages_s = built
            rounds.append((bare, embedding, whole))
            figures = {"bare": round(bare, 1), "embedding": round(embedding, 1), "whole": round(whole, 1)}
            print(json.dumps({**figures, "stages_s": stages_s}), flush=True)
    figures = {
        "photos": len(paths),
        "bare_photos_per_s": round(statistics.median(bare for bare, _, _ in rounds), 1),
        "embedding_over_bare": round(statistics.median(embedding / bare for bare, embedding, _ in rounds), 3),
        "whole_over_bare": round(statistics.median(whole / bare for bare, _, whole in rounds), 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
