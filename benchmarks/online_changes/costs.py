"""What changes cost a process in CPU time, which a busy machine hardly moves: no HTTP, one thread, the demo gallery.

python -m benchmarks.online_changes.costs [--bundle small]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.online_changes.drawings import drawing
from benchmarks.online_changes.run import GALLERY
from benchmarks.served import ROOT
from index_builder.artifact import Thumbnail
from service.changes.photos import PhotoUpload, put
from service.config import Settings
from service.runtime.serving import load_bundle, load_retriever
from service.search.retriever import Retriever
from service.store.records import NewPhoto, OnlinePhoto

_MOST = 1_000_000
_AT_ONCE = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundle", default="small")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inkseek-bench-") as scratch:
        index = Path(scratch) / "index"
        build = [sys.executable, "-m", "inkseek", "index", "build", "--photos", str(GALLERY), "--out", str(index)]
        subprocess.run([*build, "--bundle", options.bundle], cwd=ROOT, check=True, capture_output=True)
        settings = Settings(index=index, bundle=options.bundle, online_dir=Path(scratch) / "online")
        retriever = load_retriever(settings, load_bundle(settings))
        try:
            measure(retriever)
        finally:
            retriever.close()


def measure(retriever: Retriever) -> None:
    query, files = retriever.index.vector(3), [drawing(number) for number in range(100)]

    def search() -> None:
        retriever.gallery().view.search(query, 10, None, exact=False, min_score=None)

    show("search, no change", cpu_ms(search, 200))
    uploads = iter(range(1_000_000))
    show("upload of a new file", cpu_ms(lambda: upload(retriever, files, next(uploads)), 100))
    again = iter(range(1_000_000))
    show("upload of a known file", cpu_ms(lambda: upload(retriever, files, next(again)), 100))
    for total in (1_000, 10_000):
        for start in range(0, total, _AT_ONCE):
            retriever.store.put_photos([a_photo(retriever, number) for number in range(start, start + _AT_ONCE)], _MOST)
        search()
        alone = cpu_ms(search, 100)
        store = cpu_ms(lambda: retriever.store.put_photos([a_photo(retriever, 5)], _MOST), 50)

        def followed() -> None:
            retriever.store.put_photos([a_photo(retriever, 5)], _MOST)
            search()

        show(f"search, {total:,} changes", alone)
        show(f"storing one more, {total:,} changes", store)
        show(f"following it in the next search, {total:,} changes", max(0.0, cpu_ms(followed, 50) - store - alone))


def upload(retriever: Retriever, files: list[bytes], number: int) -> None:
    put(retriever, PhotoUpload(f"drawn/{number}", files[number % len(files)]), _MOST)


def a_photo(retriever: Retriever, number: int) -> NewPhoto:
    vector = np.random.default_rng(number).standard_normal(retriever.index.embedding_dim).astype(np.float32)
    photo = OnlinePhoto(f"made/{number}", "made", f"{number:064x}", 9, 9, vector / np.linalg.norm(vector))
    return NewPhoto(photo, Thumbnail(b"small", "etag"), b"file")


def cpu_ms(function: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        function()
    return (time.process_time() - began) / times * 1000


def show(what: str, milliseconds: float) -> None:
    print(f"{what:52} {milliseconds:7.2f} ms")


if __name__ == "__main__":
    main()
