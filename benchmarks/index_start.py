"""Seconds from the start of `inkseek serve` to the first answered search, by the number of photos; goal: 1 s.

python benchmarks/index_start.py [--counts 10000 115000 1000000] [--bundle small] [--work DIR]

The index is synthetic: random unit vectors, made-up rows with a thumbnail of a hundred bytes, coarse lists of short
codes that are quick to build. What is measured is everything that grows with the number of photos: manifests, maps,
rows, the canary. `opening_s` is the time of `GalleryIndex.load` and of what a service reads before it answers,
`first_answer_s` that of the process, whose imports and encoders take as long for any index; compare it with the least
count of the same run. On a busy machine compare the seconds of CPU (`opening_cpu_s`, `first_answer_cpu_s`). With
`--work`, what is there already is not written again.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from index_builder.artifact import GalleryIndex, PhotoRecord, Thumbnail, layout
from index_builder.artifact.manifest import BuildSummary, GallerySource, IndexManifest
from index_builder.artifact.photos.writer import PhotoStoreWriter
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


class Seconds(NamedTuple):
    """Of the clock, and of CPU."""

    clock: float
    cpu: float


def opening(out: Path) -> Seconds:
    """Until the index is open, and all is read that no request shall wait for, without comparing hashes."""
    started, cpu = time.perf_counter(), time.process_time()
    index = GalleryIndex.load(out, check_files=False)
    _ = index.categories(), index.suffixed_ids
    seconds = Seconds(time.perf_counter() - started, time.process_time() - cpu)
    index.close()
    return seconds


def first_answer(out: Path, bundle: str) -> Seconds:
    """From the start of the process to the first search that it answers; CPU of the process and of its children."""
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
                    return Seconds(time.perf_counter() - started, cpu_s(process.pid))
            except OSError:  # it does not listen yet
                time.sleep(0.005)
        raise RuntimeError(f"the service ended with {process.returncode}")
    finally:
        process.terminate()
        process.wait()


def cpu_s(process_id: int) -> float:
    """Seconds of CPU that a process has taken, and those of its children that have ended."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # utime, stime, cutime, cstime: proc(5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 115_000, 1_000_000])
    parser.add_argument("--bundle", default="small", help="a shipped bundle's name, or a directory")
    parser.add_argument("--work", type=Path, help="keeps the indexes between runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for count in options.counts:
            out = (options.work or Path(scratch)) / f"index-{count}"
            if not (out / "current").exists():
                write_index(out, count, options.bundle)
            figures: dict[str, float] = {"photos": count}
            measured: dict[str, Callable[[], Seconds]] = {
                "opening": partial(opening, out),
                "first_answer": partial(first_answer, out, options.bundle),
            }
            for name, measure in measured.items():
                rounds = [measure() for _ in range(_ROUNDS)]
                figures[f"{name}_s"] = round(statistics.median(one.clock for one in rounds), 3)
                figures[f"{name}_cpu_s"] = round(statistics.median(one.cpu for one in rounds), 3)
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
