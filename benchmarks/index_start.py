"""Seconds from the start of `inkseek serve` to the first answered search, by the number of photos; goal: 1 s.

python benchmarks/index_start.py [--counts 1000 1000000] [--bundle small] [--work DIR]

The index is synthetic: random unit vectors, made-up rows with a thumbnail of a hundred bytes, coarse lists of short
codes that are quick to build. What is measured is everything that grows with the number of photos: manifests, maps,
rows, the canary. `opening_s` is the time of `GalleryIndex.load` alone, `first_answer_s` that of the process, whose
imports and encoders take as long for any index; compare it with the smallest count of the same run.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import numpy as np

from index_builder.artifact import GalleryIndex, PhotoRecord, Thumbnail, layout
from index_builder.artifact.manifest import BuildSummary, GallerySource, IndexManifest
from index_builder.artifact.photo_writer import PhotoStoreWriter
from index_builder.artifact.staging import locked, new_segment, new_staging
from index_builder.publish import publish
from index_builder.segments.seal import seal
from index_builder.stores.choice import build_store
from index_builder.stores.plan import SearchPlan
from index_builder.stores.vectors_file import VectorWriter
from models.bundle import cpu_quota, read_manifest

_SKETCH = Path(__file__).parents[1] / "examples" / "sketches" / "mug-drawing.png"
_BLOCK_ROWS = 50_000
_ROUNDS = 3


def write_index(out: Path, count: int, bundle: str) -> None:
    """Publish a version of `count` made-up photos."""
    made_by = read_manifest(bundle)
    dim, rng = made_by.embedding_dim, np.random.default_rng(0)
    plan = SearchPlan(kind="ivfpq", factory=f"IVF16,PQ{dim // 32}x4fs", nprobe=2)
    out.mkdir(parents=True)
    with locked(out):
        staging, segment = new_staging(out), new_segment(out)
        (staging / layout.REPORT).touch()
        with VectorWriter(segment / layout.VECTORS, dim) as vectors:
            for start in range(0, count, _BLOCK_ROWS):
                rows = rng.standard_normal((min(_BLOCK_ROWS, count - start), dim), np.float32)
                vectors.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
        with PhotoStoreWriter(segment / layout.PHOTOS, ()) as photos:
            for row in range(count):
                photo_id = f"c{row // 1000:04d}/{row:08d}.jpg"
                record = PhotoRecord(row, photo_id, photo_id[:5], photo_id, f"{row:064x}", 256, 256, {})
                photos.append(record, Thumbnail(bytes(100), f"{row:x}"))
        build_store(segment, plan, count=count, dim=dim, threads=cpu_quota())
        entry = seal(segment, bundle_id=made_by.bundle_id, dim=dim, count=count, fields=(), search=plan)
        manifest = IndexManifest(
            created_at="2026-01-01T00:00:00+00:00",
            inkseek_version="0",
            bundle_id=made_by.bundle_id,
            embedding_dim=dim,
            count=count,
            gallery=GallerySource(root=str(out)),
            search=plan,
            build=BuildSummary(seconds=0.0, photos_per_s=0.0),
            segments=(entry,),
            files={layout.REPORT: layout.hash_file(staging / layout.REPORT)},
        )
        publish(out, staging, manifest)


def opening_s(out: Path) -> float:
    """Seconds until the index is open, without comparing hashes."""
    started = time.perf_counter()
    index = GalleryIndex.load(out, check_files=False)
    seconds = time.perf_counter() - started
    index.close()
    return seconds


def first_answer_s(out: Path, bundle: str) -> float:
    """Seconds from the start of the process to the first search that it answers."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "inkseek", "serve", "--index", str(out), "--bundle", bundle, "--workers", "1"]
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/search?k=10",
                data=_SKETCH.read_bytes(),
                headers={"content-type": "image/png"},
            )
            try:
                with urllib.request.urlopen(request, timeout=30):
                    return time.perf_counter() - started
            except OSError:  # it does not listen yet
                time.sleep(0.005)
        raise RuntimeError(f"the service ended with {process.returncode}")
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--bundle", default="small", help="a shipped bundle's name, or a directory")
    parser.add_argument("--work", type=Path, help="keeps the indexes between runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for count in options.counts:
            out = (options.work or Path(scratch)) / f"index-{count}"
            if not (out / "current").exists():
                write_index(out, count, options.bundle)
            row = {
                "photos": count,
                "opening_s": round(statistics.median(opening_s(out) for _ in range(_ROUNDS)), 3),
                "first_answer_s": round(
                    statistics.median(first_answer_s(out, options.bundle) for _ in range(_ROUNDS)), 2
                ),
            }
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
