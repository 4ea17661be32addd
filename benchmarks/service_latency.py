"""`/v1/search` against the bare sketch encoder, in the same run: latency with one client, requests/s at saturation.

The bare encoder is `Bundle.sketch.encode` on a prepared tensor: no HTTP, no decoding, no search. What the service
adds is everything else. Bare and served rounds alternate, so that a machine that slows down slows both; the load
generator shares the machine's CPUs with the service, as it does in reality with a proxy.

    python -m benchmarks.service_latency [--bundle DIR] [--index DIR] [--rounds 5] [--seconds 4] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.served import ROOT, served
from models.bundle import Bundle, Runtime, cpu_quota, decode_image

SKETCHES = ROOT / "examples" / "sketches"
GALLERY = ROOT / "examples" / "gallery" / "manifest.csv"
K = 10


def main() -> None:
    options = parse_options()
    with tempfile.TemporaryDirectory(prefix="inkseek-bench-") as scratch:
        index = options.index or build_demo_index(Path(scratch), options.bundle)
        measured = measure(index, options)
    if options.json:
        print(json.dumps(measured, indent=2))
    else:
        Console().print(table(measured))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundle", type=Path, help="bundle directory; the shipped one when not given")
    parser.add_argument("--index", type=Path, help="index directory; the demo gallery's, built anew, when not given")
    parser.add_argument("--rounds", type=int, default=5, help="alternations of bare and served")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each measurement")
    parser.add_argument("--concurrency", type=int, default=8, help="clients at saturation")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


def measure(index: Path, options: argparse.Namespace) -> dict[str, Any]:
    bundle = Bundle.load(options.bundle, Runtime(threads=1))
    bodies = [path.read_bytes() for path in sorted(SKETCHES.glob("*.png"))]
    tensor = bundle.sketch.prepare(decode_image(bodies[0]).image)[None]
    threads = cpu_quota()
    bare_ms, bare_rate, served_ms, served_rate = [], [], [], []
    with served(index, ["--workers", "1", *(["--bundle", str(options.bundle)] if options.bundle else [])]) as port:
        requests = [search_request(body) for body in bodies]
        asyncio.run(load(port, requests, clients=2, seconds=1.0))  # warm both sides
        encode_for(bundle, tensor, 1, 0.5)
        for _ in range(options.rounds):
            bare_ms += encode_for(bundle, tensor, 1, options.seconds / 2)
            served_ms += asyncio.run(load(port, requests, 1, options.seconds / 2))
            bare_rate.append(len(encode_for(bundle, tensor, threads, options.seconds)) / options.seconds)
            answers = asyncio.run(load(port, requests, options.concurrency, options.seconds))
            served_rate.append(len(answers) / options.seconds)
    return {
        "bundle_id": bundle.bundle_id,
        "provider": bundle.providers[0],
        "cpus": threads,
        "sketch_kb": round(statistics.mean(len(body) for body in bodies) / 1024, 1),
        "bare_encoder": latency(bare_ms) | rates(bare_rate),
        "search": latency(served_ms) | rates(served_rate),
        "added_ms_p50": round(statistics.median(served_ms) - statistics.median(bare_ms), 2),
        "share_of_bare_rate": round(statistics.median(s / b for s, b in zip(served_rate, bare_rate, strict=True)), 3),
    }


def encode_for(bundle: Bundle, tensor: Any, threads: int, seconds: float) -> list[float]:
    """Milliseconds of each encode that `threads` threads finish in that time."""
    stop = time.perf_counter() + seconds
    finished: list[list[float]] = [[] for _ in range(threads)]

    def encode(mine: list[float]) -> None:
        while (started := time.perf_counter()) < stop:
            bundle.sketch.encode(tensor)
            mine.append((time.perf_counter() - started) * 1000)

    workers = [threading.Thread(target=encode, args=(mine,)) for mine in finished]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [milliseconds for mine in finished for milliseconds in mine]


async def load(port: int, requests: list[bytes], clients: int, seconds: float) -> list[float]:
    """Milliseconds of each answer that `clients` keep-alive connections get in that time."""
    stop = time.perf_counter() + seconds
    finished: list[float] = []

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = number
        while (started := time.perf_counter()) < stop:
            writer.write(requests[sent % len(requests)])
            sent += 1
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            length = re.search(rb"content-length: (\d+)", head)
            await reader.readexactly(int(length.group(1)) if length else 0)
            finished.append((time.perf_counter() - started) * 1000)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return finished


def search_request(body: bytes) -> bytes:
    headers = f"host: bench\r\ncontent-type: image/png\r\ncontent-length: {len(body)}"
    head = f"POST /v1/search?k={K} HTTP/1.1\r\n{headers}\r\n\r\n"
    return head.encode() + body


def build_demo_index(scratch: Path, bundle: Path | None) -> Path:
    out = scratch / "index"
    command = [sys.executable, "-m", "inkseek", "index", "build", "--photos", str(GALLERY), "--out", str(out)]
    command += ["--bundle", str(bundle)] if bundle else []
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return out


def latency(milliseconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(milliseconds, n=20)
    return {"p50_ms": round(statistics.median(milliseconds), 2), "p95_ms": round(cuts[-1], 2)}


def rates(per_s: list[float]) -> dict[str, float]:
    return {"per_s": round(statistics.median(per_s), 1)}


def table(measured: dict[str, Any]) -> Table:
    title = f"{measured['bundle_id']} on {measured['cpus']} CPUs, {measured['sketch_kb']} KiB PNG, k={K}"
    out = Table("", "p50 ms", "p95 ms", "at saturation /s", title=title)
    for name, label in (("bare_encoder", "bare encoder"), ("search", "POST /v1/search")):
        row = measured[name]
        out.add_row(label, f"{row['p50_ms']:.2f}", f"{row['p95_ms']:.2f}", f"{row['per_s']:.1f}")
    out.add_row("difference, share", f"+{measured['added_ms_p50']:.2f}", "", f"{measured['share_of_bare_rate']:.3f}")
    return out


if __name__ == "__main__":
    main()
