"""Adapting a category and searching through its adapter, relative to the bare matrix products in the same run.

OMP_NUM_THREADS=1 python benchmarks/adaptation.py [--bundle BUNDLE] [--photos 10000] [--pairs 10] [--rounds 10] [--json]

The gallery is made up: one category of unit vectors that share a direction, as photos of a category do, and sketches
near ten of them. Adapting is everything on top of encoding the images: fit, leave-one-out, storing, and the first
search's preparation. Its bare product is (G, E) x (E, E); a search's is (G, E) x (E,), by the same routine that the
index uses. Rounds alternate; medians of CPU time, which other work on the machine hardly touches, except for storing,
which waits for the disk. Goals: 150 ms to adapt, 1.1 x a search without an adapter.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from index_builder.artifact import GalleryIndex, PhotoFilter, PhotoRecord, SearchPlan, Thumbnail, inner_products, layout
from index_builder.artifact.manifest import BuildSummary, GallerySource, IndexManifest
from index_builder.artifact.photos.writer import PhotoStoreWriter
from index_builder.stores.vectors_file import VectorWriter
from models.adapters import Adaptation
from models.arrays import Vectors
from models.bundle import Bundle, Runtime, bundle_path
from service.adaptation.encoding import EncodedSketch
from service.adaptation.examples import Examples
from service.adaptation.fit import fit
from service.search.query import SearchQuery
from service.search.retriever import Retriever
from service.sketches.decode import SketchDecoder
from service.sketches.sketch import EncodedImage
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget

_EXAMPLE = Path(__file__).parents[1] / "examples" / "sketches" / "mug-drawing.png"
_SHOE = AdapterTarget("category", "shoe")

Result = TypeVar("Result")


def unit(rows: Vectors) -> Vectors:
    scaled: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def made_up_index(folder: Path, bundle: Bundle, count: int, rng: np.random.Generator) -> GalleryIndex:
    shared = 2 * rng.standard_normal(bundle.embedding_dim)
    vectors = unit((rng.standard_normal((count, bundle.embedding_dim)) + shared).astype(np.float32))
    with (
        VectorWriter(folder / layout.VECTORS, bundle.embedding_dim) as writer,
        PhotoStoreWriter(folder / layout.PHOTOS, ()) as store,
    ):
        writer.append(vectors)
        for row in range(count):
            photo_id = f"shoe/{row:06d}.jpg"
            store.append(PhotoRecord(row, photo_id, "shoe", photo_id, f"{row:064x}", 9, 9, {}), Thumbnail(b"", ""))
    manifest = IndexManifest(
        created_at="2026-01-01T00:00:00Z",
        inkseek_version="0",
        bundle_id=bundle.bundle_id,
        embedding_dim=bundle.embedding_dim,
        count=count,
        gallery=GallerySource(root=str(folder)),
        search=SearchPlan(),
        build=BuildSummary(seconds=0, photos_per_s=0),
        files={},
    )
    return GalleryIndex.open(folder, manifest, version="made-up")


def clocked(call: Callable[[], Result], clock: Callable[[], float] = time.process_time) -> tuple[float, Result]:
    """Milliseconds, and what the call returned."""
    started = clock()
    result = call()
    return (clock() - started) * 1000, result


def adapting(retriever: Retriever, pairs: int, rounds: int, rng: np.random.Generator) -> dict[str, float]:
    """Medians in ms: fit with leave-one-out, storing, the scorer that the first search needs, the bare product."""
    vectors = retriever.index.vectors_of(np.arange(retriever.index.count))
    square = rng.standard_normal((vectors.shape[1], vectors.shape[1])).astype(np.float32)
    taken: dict[str, list[float]] = {"fit": [], "store": [], "prepare": [], "bare product": []}
    for _ in range(rounds):
        rows = rng.choice(len(vectors), pairs, replace=False).tolist()
        drawn = unit(vectors[rows] + rng.standard_normal((pairs, vectors.shape[1])).astype(np.float32) / 30)
        sketches = [EncodedSketch(b"sketch", vector, bytes([n])) for n, vector in enumerate(drawn)]
        examples = Examples((b"sketch",) * pairs, tuple(f"shoe/{row:06d}.jpg" for row in rows))
        fit_ms, adapter = clocked(partial(fit, retriever, _SHOE, examples, sketches, {}, force=True))
        store_ms, _ = clocked(partial(retriever.store.add, adapter, 10_000, 0), time.perf_counter)
        prepare_ms, _ = clocked(lambda: retriever.gallery().scorer("shoe", fitted=True))
        product_ms, _ = clocked(lambda: vectors @ square)
        for what, ms in zip(taken, (fit_ms, store_ms, prepare_ms, product_ms), strict=True):
            taken[what].append(ms)
    return {what: statistics.median(values) for what, values in taken.items()}


def searching(retriever: Retriever, rounds: int, rng: np.random.Generator) -> dict[str, list[float]]:
    """Each round in ms: the bare product; a search of the category by plain cosines, mean-centred, and through its
    adapter; and whole searches, a sketch decoded and encoded, mean-centred and through the adapter.
    """
    vectors, gallery = retriever.index.vectors_of(np.arange(retriever.index.count)), retriever.gallery()
    where = PhotoFilter(frozenset(["shoe"]))
    adapted, centred = SearchQuery(categories=("shoe",)), SearchQuery(categories=("shoe",), adapt=False)
    source = EncodedImage(_EXAMPLE.read_bytes())
    taken: dict[str, list[float]] = {}
    for query in unit(vectors[rng.choice(len(vectors), 20 * rounds)] + rng.standard_normal(vectors.shape[1]) / 40):
        calls: dict[str, Callable[[], object]] = {
            "bare product": partial(inner_products, vectors, query),
            "plain cosines": partial(gallery.view.search, query, 10, where, exact=False, min_score=None),
            "mean-centred": partial(gallery.answer, query, centred, where),
            "adapted": partial(gallery.answer, query, adapted, where),
        }
        for what, call in calls.items():
            taken.setdefault(what, []).append(clocked(call)[0])
    for _ in range(3 * rounds):
        for what, search in (("whole search, mean-centred", centred), ("whole search, adapted", adapted)):
            taken.setdefault(what, []).append(clocked(partial(retriever.search, source, search))[0])
    return taken


def over(taken: dict[str, list[float]], what: str, base: str) -> float:
    """The median of each round's ratio: what slows the machine down slows both."""
    return round(statistics.median(a / b for a, b in zip(taken[what], taken[base], strict=True)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=bundle_path)
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    bundle = Bundle.load(options.bundle, Runtime(threads=1))
    if bundle.adaptation is None:
        bundle = replace(bundle, adaptation=Adaptation.untrained(bundle.embedding_dim, power=0.3))
    with tempfile.TemporaryDirectory() as folder:
        index = made_up_index(Path(folder), bundle, options.photos, rng)
        store = OnlineStore(Path(folder) / "online", bundle.bundle_id, bundle.manifest.adapted_dim)
        retriever = Retriever(bundle, index, SketchDecoder(), store)
        adapt = adapting(retriever, options.pairs, options.rounds, rng)
        search = searching(retriever, options.rounds, rng)
        retriever.close()
    whole = adapt["fit"] + adapt["store"] + adapt["prepare"]
    figures = {
        "adapt_ms": {what: round(value, 2) for what, value in adapt.items()},
        "adapt_to_active_ms": round(adapt["fit"] + adapt["store"], 1),
        "adapt_over_bare_product": round(whole / adapt["bare product"], 2),
        "search_ms": {what: round(statistics.median(values), 3) for what, values in search.items()},
        "centred_over_bare_product": over(search, "mean-centred", "bare product"),
        "adapted_over_bare_product": over(search, "adapted", "bare product"),
        "adapted_over_plain": over(search, "adapted", "plain cosines"),
        "adapted_over_centred": over(search, "adapted", "mean-centred"),
        "whole_search_adapted_over_centred": over(search, "whole search, adapted", "whole search, mean-centred"),
    }
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{options.photos:,} photos, {bundle.embedding_dim} numbers, {options.pairs} pairs")
    for name, value in figures.items():
        print(f"  {name}: {value}")


if __name__ == "__main__":
    main()
