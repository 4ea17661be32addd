"""A reader in a process of its own keeps what it reads, through updates, compactions and clean-ups beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from index_builder.artifact import layout
from index_builder.build import BuildRequest, build_index, compact_index, update_index
from index_builder.publish import rollback

READER = """
import json, sys
from pathlib import Path
import numpy as np
from index_builder.artifact import GalleryIndex

index = GalleryIndex.load(Path(sys.argv[1]))
for line in sys.stdin:
    every = np.arange(index.count)
    vectors = index.vectors_of(every)
    hits = index.search(vectors, 3)
    thumbnails = [index.thumbnail(record.photo_id).etag for record in index.records()]
    # Opened anew, as a service's other processes do.
    again = GalleryIndex.load(Path(sys.argv[1]), version=index.version)
    found = [[(hit.row, round(hit.score, 5)) for hit in of_one] for of_one in hits]
    print(json.dumps([index.version, found, thumbnails, index.problems(), again.count]), flush=True)
    again.close()
"""


@dataclass
class Reader:
    """A process that has loaded the published version."""

    process: subprocess.Popen[str]

    def answer(self) -> list[Any]:
        """What it finds, all of which it reads anew."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("read\n")
        self.process.stdin.flush()
        answer: list[Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture
def request_(photos: Path, tmp_path: Path, tiny_bundle_dir: Path) -> BuildRequest:
    return BuildRequest(photos, tmp_path / "index", bundle=tiny_bundle_dir, keep=1)


@pytest.fixture
def reader(request_: BuildRequest) -> Iterator[Reader]:
    build_index(request_)
    command = [sys.executable, "-c", READER, str(request_.out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Reader(process)
        assert process.stdin is not None
        process.stdin.close()


def test_nothing_that_a_reader_uses_is_deleted_under_it(
    reader: Reader, request_: BuildRequest, photos: Path, draw_jpeg: Callable[..., bytes]
) -> None:
    first = reader.answer()
    held = first[0]
    assert (first[3], first[4]) == ([], 6)
    for round_ in range(4):
        (photos / f"new-{round_}.jpg").write_bytes(draw_jpeg(50 + round_))
        next(iter(sorted((photos / "shoe").iterdir())), photos / "new-0.jpg").unlink()
        update_index(request_)
        compact_index(request_)
        assert reader.answer() == first
    rollback(request_.out)
    compact_index(request_)
    build_index(request_)
    assert reader.answer() == first
    assert held in layout.list_versions(request_.out)
    others = [name for name in layout.list_versions(request_.out) if name != held]
    assert len(others) <= 3  # the published one, the one before, and what a rollback may go back to

    # Once nobody reads it, the next build removes it, and with it the segments that only it names.
    assert reader.process.stdin is not None
    reader.process.stdin.close()
    assert reader.process.wait(60) == 0
    for _ in range(2):
        build_index(request_)
    assert held not in layout.list_versions(request_.out)
    assert len(list(layout.segments_dir(request_.out).iterdir())) <= len(layout.list_versions(request_.out))
