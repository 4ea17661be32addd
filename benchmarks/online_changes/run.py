"""Searches at half of saturation, with and without a stream of uploads; and how soon each upload is found.

A service of its own over the demo gallery, with its default settings and --workers. Uploads are line drawings, so that
each is searched for by itself: one in --check of them right after its answer, and every one of them in the end. Under
--known their files are there already, as other photos, so that nothing is embedded: what is left is the change itself.
The load shares the machine's CPUs with the service.

    python -m benchmarks.online_changes.run [--rate 200] [--seconds 300] [--known] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.online_changes.drawings import drawing
from benchmarks.online_changes.load import Answered, Connections, ids_of, look_up, paced, saturated, search, upload
from benchmarks.served import ROOT, served

GALLERY = ROOT / "examples" / "gallery" / "manifest.csv"
_WITHIN_S = 1.0
_CLIENTS = 8


class Uploads:
    """The n-th upload: an id of `ids` by turns, each time with another drawing; drawings are never those of two ids."""

    def __init__(self, ids: int, *, known: bool) -> None:
        self._ids = ids
        self._known = known
        self._drawings = [drawing(number) for number in range(2 * ids)]
        self.latest: dict[str, bytes] = {}

    def photo_id(self, number: int) -> str:
        return f"drawn/{number % self._ids}.png"

    def drawn(self, number: int) -> bytes:
        return self._drawings[(number % self._ids) + self._ids * (number // self._ids % 2)]

    def file(self, number: int) -> bytes:
        # Bytes behind a PNG's end are no part of the picture, and make another file of it.
        return self.drawn(number) + (b"" if self._known else b"%d" % number)

    def all_known(self) -> Iterator[tuple[str, bytes]]:
        for number in range(2 * self._ids):
            # Under ids that stay: an id that is uploaded again forgets the file that it had.
            yield f"known/{number}.png", self.file(number)


async def measure(port: int, options: argparse.Namespace) -> dict[str, Any]:
    connections, uploads = Connections(port), Uploads(options.ids, known=options.known)
    sketches = [search(drawing(-1 - number)) for number in range(50)]

    async def look(number: int) -> int:
        status, _ = await connections.send(sketches[number % len(sketches)])
        return status

    if options.known:
        for photo_id, file in uploads.all_known():
            await connections.send(upload(photo_id, file))
    await saturated(_CLIENTS, 3.0, look)  # warm
    saturation = await saturated(_CLIENTS, options.seconds_alone / 2, look)
    alone = await paced(saturation / 2, options.seconds_alone, look)
    waits: list[float] = []

    async def change(number: int) -> int:
        photo_id = uploads.photo_id(number)
        status, _ = await connections.send(upload(photo_id, uploads.file(number)))
        if status in (200, 201):
            uploads.latest[photo_id] = uploads.drawn(number)
            if number % options.check == 0:
                waits.append(await found_after(connections, photo_id, uploads.drawn(number)))
        return status

    began = time.perf_counter()
    beside, changed = await asyncio.gather(
        paced(saturation / 2, options.seconds, look), paced(options.rate, options.seconds, change)
    )
    took = time.perf_counter() - began
    outranked = lost = 0
    for photo_id, drawn in uploads.latest.items():
        _, body = await connections.send(search(drawn))
        if photo_id not in ids_of(body):  # ten others may be more like a scribble than its own picture is
            status, _ = await connections.send(look_up(photo_id))
            outranked, lost = outranked + (status == 200), lost + (status != 200)
    connections.close()
    done = sum(count for status, count in changed.statuses.items() if status in (200, 201))
    return {
        "cpus": os.cpu_count(),
        "load_average_before": options.load,
        "files": "known" if options.known else "new",
        "searches_per_s_at_saturation": round(saturation, 1),
        "searches_alone": summary(alone),
        "searches_beside_uploads": summary(beside),
        "p99_ratio": round(p(beside, 99) / p(alone, 99), 2),
        "uploads_per_s_asked": options.rate,
        "uploads_per_s": round(done / took, 1),
        "uploads": summary(changed),
        "found_within_1_s": f"{sum(wait <= _WITHIN_S for wait in waits)} of {len(waits)}",
        "found_after_s_max": round(max(waits, default=0.0), 3),
        "outranked_by_ten_others_in_the_end": f"{outranked} of {len(uploads.latest)}",
        "not_there_in_the_end": f"{lost} of {len(uploads.latest)}",
    }


async def found_after(connections: Connections, photo_id: str, drawn: bytes) -> float:
    """Seconds until a search by its own drawing answers the photo; 10 for one that is not found."""
    began = time.perf_counter()
    while time.perf_counter() - began < 10:
        status, body = await connections.send(search(drawn))
        if status == 200 and photo_id in ids_of(body):
            return time.perf_counter() - began
        await asyncio.sleep(0.02)
    return 10.0


def p(answered: Answered, percent: int) -> float:
    return statistics.quantiles(answered.milliseconds, n=100)[percent - 1]


def summary(answered: Answered) -> dict[str, Any]:
    return {
        "p50_ms": round(p(answered, 50), 1),
        "p99_ms": round(p(answered, 99), 1),
        "statuses": {str(status): count for status, count in sorted(answered.statuses.items())},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=200.0, help="uploads a second")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long uploads go on")
    parser.add_argument("--seconds-alone", type=float, default=30.0, help="how long searches alone are measured")
    parser.add_argument("--ids", type=int, default=2_000, help="photos that uploads change by turns")
    parser.add_argument("--known", action="store_true", help="files that were uploaded before: nothing is embedded")
    parser.add_argument("--check", type=int, default=20, help="one in so many uploads is searched for at once")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--bundle", default="small")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    options.load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory(prefix="inkseek-bench-") as scratch:
        index = Path(scratch) / "index"
        build = [sys.executable, "-m", "inkseek", "index", "build", "--photos", str(GALLERY), "--out", str(index)]
        subprocess.run([*build, "--bundle", options.bundle], cwd=ROOT, check=True, capture_output=True)
        serving = ["--workers", str(options.workers), "--bundle", options.bundle]
        serving += ["--online-dir", str(Path(scratch) / "online")]
        with served(index, serving, {"INKSEEK_MAX_ONLINE_PHOTOS": "1000000"}) as port:
            measured = asyncio.run(measure(port, options))
    if options.json:
        print(json.dumps(measured, indent=2))
        return
    for name, value in measured.items():
        print(f"{name.replace('_', ' '):32} {value}")


if __name__ == "__main__":
    main()
