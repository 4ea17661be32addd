"""Inkseek's kinds of index beside raw FAISS, hnswlib, usearch and ScaNN, at a recall@10 on human sketches.

Photos of `--data` are embedded in several views (see `embeddings.py`); beyond these, rows are multiplied as in
`benchmarks/index_choice.py`: to a row the difference of two others is added (x + a (y - z), a from 0.2 to 0.7, of unit
length again), which keeps spread and correlations. Of the held-out human sketches every second one tunes each engine,
and the others are what recall and time are measured on. Truth is an exact search. Each engine builds with `--threads`
and answers one query at a time on one thread, in a process of its own, one engine after the other.

    python -m benchmarks.index_table.run --data DIR --work DIR [--sizes 35000 200000 1000000] [--only hnsw scann]

The peers' environment is made at `--venv` where it is absent; `--work` keeps embeddings and results, and a run goes on
where one ended.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.index_table.embeddings import write_embeddings
from benchmarks.index_table.figures import markdown
from index_builder.stores.vectors_file import VectorWriter
from models.arrays import Rows, Vectors
from models.bundle import Bundle, Runtime, bundle_path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS = ("flat", "hnsw", "sq8", "ivfpq")
PEERS = ("hnswlib", "usearch", "scann")
K = 10
_BLOCK_ROWS = 50_000


def main() -> None:
    """Measure what is not measured yet, and print all of it."""
    options = parse_options()
    python = options.venv / "bin" / "python"
    if set(options.only) & set(PEERS) and not python.exists():
        install(options.venv)
    embeddings = options.work / "embeddings"
    if not (embeddings / "photos-0.npy").exists():
        bundle = Bundle.load(bundle_path(options.bundle), Runtime(threads=1))
        write_embeddings(options.data, embeddings, bundle, options.views, options.threads)
    tables = {}
    for size in options.sizes:
        folder = gallery(embeddings, options.work / str(size), size)
        for name in options.only:
            result = folder / f"{name}.json"
            if not result.exists():
                measure(name, folder, result, python, options)
        tables[size] = [row for file in results(folder) for row in rows_of(file)]
    print(json.dumps(tables, indent=1)) if options.json else print(markdown(tables))


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folders with photos/ and, some of them, manifest.csv with sketches")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "index_table")
    parser.add_argument("--venv", type=Path, default=ROOT / "var" / "index_peers", help="made where it is absent")
    parser.add_argument("--bundle", default="small", help="a shipped bundle's name, or a directory")
    parser.add_argument("--sizes", type=int, nargs="+", default=[35_000, 200_000, 1_000_000])
    parser.add_argument("--only", nargs="+", choices=[*OURS, *PEERS], default=[*OURS, *PEERS])
    parser.add_argument("--views", type=int, default=10, help="embeddings of each photo")
    parser.add_argument("--recall", type=float, default=0.98, help="recall@10 that each engine is tuned for")
    parser.add_argument("--threads", type=int, default=2, help="of embedding and building")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


def install(venv: Path) -> None:
    """The peers' environment."""
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--requirement", str(HERE / "requirements.txt")]
    subprocess.run(pip, check=True)


def gallery(embeddings: Path, folder: Path, size: int) -> Path:
    """Vectors of that many photos, sketches to tune and to test with, drawings, and the truth of the sketches."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "test_rows.npy").exists():
        real = [np.load(file, mmap_mode="r") for file in sorted(embeddings.glob("photos-*.npy"))]
        with VectorWriter(folder / "vectors.npy", real[0].shape[1]) as writer:
            for block in blocks(real, size):
                writer.append(block)
        vectors = np.load(folder / "vectors.npy", mmap_mode="r")
        np.save(folder / "drawings.npy", np.load(embeddings / "drawings.npy"))
        sketches = np.load(embeddings / "sketches.npy")
        for name, some in (("tune", sketches[::2]), ("test", sketches[1::2])):
            np.save(folder / f"{name}.npy", some)
            np.save(folder / f"{name}_rows.npy", true_rows(vectors, some))
    return folder


def blocks(real: list[Vectors], size: int) -> Iterator[Vectors]:
    """Blocks of `size` rows: the real embeddings, and then multiplied ones."""
    rows = np.concatenate([part[: max(0, size - before)] for part, before in zip(real, starts(real), strict=True)])
    yield rows
    rng = np.random.default_rng(0)
    for start in range(len(rows), size, _BLOCK_ROWS):
        count = min(_BLOCK_ROWS, size - start)
        x, y, z = (rows[rng.integers(len(rows), size=count)] for _ in range(3))
        made = x + rng.uniform(0.2, 0.7, (count, 1)).astype(np.float32) * (y - z)
        yield made / np.linalg.norm(made, axis=1, keepdims=True)


def starts(parts: list[Vectors]) -> list[int]:
    """Rows before each part."""
    return [sum(map(len, parts[:number])) for number in range(len(parts))]


def true_rows(vectors: Vectors, queries: Vectors) -> Rows:
    """(G, E), (Q, E) -> (Q, 10): the rows with the largest inner products."""
    scores = np.full((len(queries), 0), 0, np.float32)
    rows = np.empty((len(queries), 0), np.int64)
    for start in range(0, len(vectors), _BLOCK_ROWS):
        some = queries @ np.asarray(vectors[start : start + _BLOCK_ROWS]).T
        scores = np.concatenate([scores, some], axis=1)
        numbers = np.broadcast_to(np.arange(start, start + some.shape[1]), some.shape)
        rows = np.concatenate([rows, numbers], axis=1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        scores, rows = np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)
    return rows


def measure(name: str, folder: Path, result: Path, python: Path, options: argparse.Namespace) -> None:
    """Run one engine in a process of its own and keep what it prints."""
    arguments = [name, str(folder), str(options.recall), str(options.threads)]
    ours = [sys.executable, "-m", "benchmarks.index_table.ours"]
    command = [*(ours if name in OURS else [str(python), str(HERE / "peers.py")]), *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    result.write_text(done.stdout.splitlines()[-1] + "\n")
    print(f"{folder.name}: {result.read_text()[:400]}", file=sys.stderr, flush=True)


def results(folder: Path) -> list[Path]:
    """The files of the engines that were measured, ours first."""
    return [file for name in (*OURS, *PEERS) if (file := folder / f"{name}.json").exists()]


def rows_of(file: Path) -> list[dict[str, Any]]:
    """The rows of the table that an engine printed."""
    found = json.loads(file.read_text())
    return found if isinstance(found, list) else [found]


if __name__ == "__main__":
    main()
