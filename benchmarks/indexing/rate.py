"""Photos/s of a whole `inkseek index build` over the bare photo encoder's rate, on the demo gallery. Goal: 0.8 or more.

python benchmarks/index_build.py [--bundle BUNDLE] [--photos DIR] [--rounds 3]

The bare encoder runs as the builder runs it at best (a thread a core, each with its own one-thread calls), on tensors
that are prepared already; the builder reads, hashes, decodes, scales, encodes, makes thumbnails and writes as well.
The rounds alternate.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index_builder.build import BuildRequest, build_index
from models.bundle import Bundle, Encoder, Runtime, cpu_quota

_BARE_PHOTOS = 256


def bare_rate(encoder: Encoder, tensors: list[NDArray[np.float32]], workers: int) -> float:
    """Photos/s of the encoder alone."""
    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda tensor: encoder.encode(tensor[None]), tensors))
    return len(tensors) / (time.perf_counter() - started)


def builder_rate(photos: Path, bundle: str | None) -> tuple[float, float]:
    """Photos/s while embedding, and from the first file to the published version."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = build_index(BuildRequest(photos, Path(folder) / "index", bundle=bundle)).manifest
    return manifest.build.photos_per_s, manifest.count / manifest.build.seconds


def tensors_of(photos: Path, encoder: Encoder) -> list[NDArray[np.float32]]:
    paths = sorted(path for path in photos.rglob("*") if path.suffix in (".jpg", ".jpeg", ".png", ".webp"))
    return [encoder.read(path).pixels for path in paths[:: max(1, len(paths) // _BARE_PHOTOS)]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", help="a shipped bundle's name, or a directory")
    parser.add_argument("--photos", type=Path, default=Path(__file__).parents[1] / "examples" / "gallery")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    encoder = Bundle.load(options.bundle, Runtime(threads=1)).photo
    tensors = tensors_of(options.photos, encoder)
    rounds = []
    for number in range(1, options.rounds + 1):
        bare = bare_rate(encoder, tensors, cpu_quota())
        embedding, whole = builder_rate(options.photos, options.bundle)
        rounds.append((bare, embedding, whole))
        print(
            f"round {number}: bare encoder {bare:.1f}, builder {embedding:.1f} embedding, {whole:.1f} whole, photos/s"
        )
    bare, embedding, whole = (statistics.median(values) for values in zip(*rounds, strict=True))
    figures = {
        "bare_photos_per_s": round(bare, 1),
        "builder_photos_per_s": round(whole, 1),
        "embedding_over_bare": round(statistics.median(e / b for b, e, _ in rounds), 3),
        "builder_over_bare": round(statistics.median(w / b for b, _, w in rounds), 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
