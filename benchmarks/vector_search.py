"""What a search by vector costs the service, beside the same search by its drawing: CPU time, alternating, one process.

The baseline is `POST /v1/search` of the same run: the drawing is decoded, prepared and encoded there, and both search
the same gallery for the same photos. Times are those of the service's process, as /metrics has them.

    python -m benchmarks.vector_search [--bundle DIR] [--index DIR] [--rounds 8] [--requests 150] [--json]
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.served import served
from benchmarks.service_latency import SKETCHES, build_demo_index
from models.bundle import Bundle, Runtime, decode_image

K = 10
PLAIN = {"accept-encoding": "identity"}  # compressing an answer takes a tenth of a millisecond, whatever it answers
_FORMS = ("drawing", "float16", "json")


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
    parser.add_argument("--rounds", type=int, default=8, help="alternations of the three")
    parser.add_argument("--requests", type=int, default=150, help="of each form in a round")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


def measure(index: Path, options: argparse.Namespace) -> dict[str, Any]:
    bundle = Bundle.load(options.bundle, Runtime(threads=1))
    drawings = [path.read_bytes() for path in sorted(SKETCHES.glob("*.png"))]
    vectors = [bundle.sketch.encode(bundle.sketch.prepare(decode_image(body).image)[None])[0] for body in drawings]
    sent = {
        "drawing": [{"url": f"/v1/search?k={K}&mirror=false", "content": body} for body in drawings],
        "float16": [
            {
                "url": f"/v1/search:vector?k={K}&bundle={bundle.bundle_id}",
                "content": vector.astype("<f2").tobytes(),
                "headers": {"content-type": "application/octet-stream"},
            }
            for vector in vectors
        ],
        "json": [
            {"url": "/v1/search:vector", "json": {"bundle": bundle.bundle_id, "vector": vector.tolist(), "k": K}}
            for vector in vectors
        ],
    }
    spent: dict[str, list[float]] = {form: [] for form in _FORMS}
    command = ["--workers", "1", *(["--bundle", str(options.bundle)] if options.bundle else [])]
    with (
        served(index, command, {"INKSEEK_THREADS": "1"}) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60.0) as client,
    ):
        for form in _FORMS:
            ask(client, sent[form], 20)  # warm
        for _ in range(options.rounds):
            for form in _FORMS:
                before = cpu_s(client)
                ask(client, sent[form], options.requests)
                spent[form].append((cpu_s(client) - before) * 1000 / options.requests)
        photos = client.get("/v1/info").json()["photo_count"]
    return {
        "bundle_id": bundle.bundle_id,
        "photos": photos,
        "bytes": {form: len(client.build_request("POST", **sent[form][0]).content) for form in _FORMS},
        "cpu_ms": {form: {"median": statistics.median(spent[form]), "least": min(spent[form])} for form in _FORMS},
        "share_of_drawing": {
            form: statistics.median(a / b for a, b in zip(spent[form], spent["drawing"], strict=True))
            for form in _FORMS
        },
    }


def ask(client: httpx.Client, requests: list[dict[str, Any]], count: int) -> None:
    for number in range(count):
        client.post(**requests[number % len(requests)]).raise_for_status()


def cpu_s(client: httpx.Client) -> float:
    found = re.search(r"^process_cpu_seconds_total\S* (\S+)$", client.get("/metrics").text, re.MULTILINE)
    if found is None:
        raise RuntimeError("the service does not say what CPU time it has spent")
    return float(found.group(1))


def table(measured: dict[str, Any]) -> Table:
    title = f"{measured['bundle_id']}, {measured['photos']} photos, k={K}: CPU of the service per answer"
    out = Table("", "bytes sent", "median ms", "least ms", "of a drawing's", title=title)
    for form in _FORMS:
        cpu, share = measured["cpu_ms"][form], measured["share_of_drawing"][form]
        out.add_row(form, str(measured["bytes"][form]), f"{cpu['median']:.2f}", f"{cpu['least']:.2f}", f"{share:.3f}")
    return out


if __name__ == "__main__":
    main()
