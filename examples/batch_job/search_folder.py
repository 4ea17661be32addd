"""Searches for every sketch below a folder, and writes the photos found as a table."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from inkseek_client import Client, ServiceProblem
from inkseek_client.folder import FileAnswer

COLUMNS = ("sketch", "rank", "photo_id", "category", "score", "confidence", "problem")


def rows_of(found: FileAnswer, folder: Path) -> Iterator[dict[str, object]]:
    """One row per photo found, or one with the problem."""
    sketch = found.path.relative_to(folder)
    if isinstance(found.outcome, ServiceProblem):
        yield {"sketch": sketch, "problem": str(found.outcome)}
        return
    for hit in found.answer.results:
        row = {name: getattr(hit, name) for name in COLUMNS[1:-1]}
        yield {"sketch": sketch, **row, "score": f"{hit.score:.4f}"}


def search_folder(client: Client, folder: Path, out: Path, k: int) -> int:
    """Write the table of all sketches below `folder` to `out`; returns how many sketches have no answer.

    Raises InkseekClientError where the service does not answer at all, OSError.
    """
    failed = 0
    unfinished = out.with_name(f"{out.name}.unfinished")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for found in client.search_folder(folder, k=k):
            failed += isinstance(found.outcome, ServiceProblem)
            table.writerows(rows_of(found, folder))
    unfinished.replace(out)
    return failed


def main(words: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="sketches: images, SVG, JSON with strokes")
    parser.add_argument("out", type=Path, help="the CSV file to write")
    parser.add_argument("-k", type=int, default=5, help="photos for each sketch")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--key", default=os.environ.get("SEARCH_KEY"), help="an API key")
    given = parser.parse_args(words)
    with Client(given.url, key=given.key) as client:
        failed = search_folder(client, given.folder, given.out, given.k)
    if failed:
        print(f"{failed} sketches have no answer: see the column `problem` of {given.out}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
