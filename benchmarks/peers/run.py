"""Inkseek against plain FastAPI, LitServe and BentoML, and a bare loop, all with the bundle's own ONNX file.

All servers run at the same time, and each round measures them one after the other, so that a machine that slows down
slows all. One client gives the latency, sixteen the saturation, 80 % of a server's own saturation the tail; and with
`--overload` Inkseek gets 3 and 10 times as much. `cpu` is the CPU time of a server's processes per answer, which other
work on the machine changes least. The load comes from wrk, on the same machine.

    python -m benchmarks.peers.run [--bundle small] [--index DIR] [--rounds 5] [--seconds 4] [--overload] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.figures import markdown
from benchmarks.peers.load import check_installed, send
from index_builder.artifact import GalleryIndex
from index_builder.build import BuildRequest, build_index
from models.bundle import Bundle, bundle_path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SKETCH = ROOT / "examples" / "sketches" / "mug-drawing.png"
GALLERY = ROOT / "examples" / "gallery" / "manifest.csv"
CLIENTS = 16
_STEADY_CONNECTIONS, _FLOOD_CONNECTIONS = 64, 400  # at a rate: more than are in flight
_STATUS = re.compile(r'^inkseek_requests_total\{.*route="/v1/search",status="(\d+)"\} (\S+)$', re.MULTILINE)
_START_S = 60.0


@dataclass(frozen=True)
class Server:
    """A server that answers `path` on `port`; `command` starts it in `folder`."""

    name: str
    port: int
    path: str
    command: list[str]

    @property
    def url(self) -> str:
        """Where sketches are posted to."""
        return f"http://127.0.0.1:{self.port}{self.path}"


def main() -> None:
    """Measure and print, a table in Markdown or with `--json` every round's figures."""
    options = parse_options()
    check_installed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers must not outlive a run that is ended
    with tempfile.TemporaryDirectory(prefix="inkseek-peers-") as scratch:
        bundle = Bundle.load(bundle_path(options.bundle))
        index = options.index or build_demo_index(Path(scratch), options.bundle)
        export(bundle, index, Path(scratch))
        python = options.venv / "bin" / "python"
        if not python.exists():
            install(options.venv)
        figures = measure(servers(options, index, python), python, Path(scratch), options)
    print(json.dumps(figures, indent=1)) if options.json else print(markdown(figures))


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundle", default="small", help="a shipped bundle's name, or a directory")
    parser.add_argument("--index", type=Path, help="an index of that bundle; the demo gallery's, built anew, if absent")
    parser.add_argument(
        "--venv", type=Path, default=ROOT / "var" / "peers", help="the peers' environment, made if absent"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each measurement")
    parser.add_argument("--only", nargs="*", help="servers whose name starts like one of these")
    parser.add_argument("--overload", action="store_true", help="also 3 and 10 times the saturation of Inkseek")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


def install(venv: Path) -> None:
    """The peers' environment."""
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--requirement", str(HERE / "requirements.txt")]
    subprocess.run(pip, check=True)


def build_demo_index(scratch: Path, bundle: str) -> Path:
    """The demo gallery's index."""
    build_index(BuildRequest(photos=GALLERY, out=scratch / "index", bundle=bundle_path(bundle)))
    return scratch / "index"


def export(bundle: Bundle, index: Path, out: Path) -> None:
    """What `pipeline.py` reads: the encoder, vectors and photo ids."""
    gallery = GalleryIndex.load(index, bundle_id=bundle.bundle_id)
    rows = np.arange(gallery.count)
    np.save(out / "vectors.npy", gallery.vectors_of(rows))
    preprocess = bundle.sketch.preprocess
    facts = {"size_px": preprocess.size_px, "mean": preprocess.mean, "std": preprocess.std}
    ids = [photo.photo_id for photo in gallery.photos(rows.tolist())]
    (out / "gallery.json").write_text(json.dumps({**facts, "photo_ids": ids}))
    (out / "sketch.onnx").write_bytes((bundle.path / "sketch.onnx").read_bytes())


def servers(options: argparse.Namespace, index: Path, python: Path) -> list[Server]:
    """Every server, each with one process or worker and with two where it knows both."""
    found = []
    for processes in (1, 2):
        port = free_port()
        uvicorn = [
            str(python),
            "-m",
            "uvicorn",
            "benchmarks.peers.plain_fastapi:app",
            "--port",
            str(port),
            "--no-access-log",
        ]
        command = [*uvicorn, "--log-level", "warning", "--workers", str(processes)]
        found.append(Server(f"FastAPI, {processes}", port, "/search", command))
        port = free_port()
        serve = [sys.executable, "-m", "inkseek", "serve", "--index", str(index), "--bundle", options.bundle]
        command = [*serve, "--port", str(port), "--workers", str(processes)]
        found.append(Server(f"Inkseek, {processes}", port, "/v1/search", command))
    port = free_port()
    found.append(Server("LitServe, 2", port, "/search", [str(python), "-m", "benchmarks.peers.lit", str(port), "2"]))
    port = free_port()
    serve = [str(python), "-m", "bentoml", "serve", "benchmarks.peers.bento:SketchSearch", "--port", str(port)]
    found.append(Server("BentoML, 2", port, "/search", serve))
    chosen = options.only or [""]
    return [server for server in found if server.name.startswith(tuple(chosen))]


def measure(
    tested: list[Server], python: Path, data: Path, options: argparse.Namespace
) -> dict[str, dict[str, list[float]]]:
    """Figures by server, a list over rounds each."""
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    environment = {**os.environ, "PEERS_DATA": str(data), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with ExitStack() as stack:
        running = {server.name: stack.enter_context(started(server, environment)) for server in tested}
        tested = [server for server in tested if answers(server)]
        for _ in range(options.rounds):
            bare = [str(python), "-m", "benchmarks.peers.pipeline", str(SKETCH), str(options.seconds)]
            lap = json.loads(subprocess.check_output(bare, cwd=ROOT, env=environment))
            figures["bare loop"]["p50_ms"].append(lap["p50_ms"])
            figures["bare loop"]["cpu_ms"].append(lap["cpu_ms"])
            for server in tested:
                for name, value in measured(server, running[server.name], options).items():
                    figures[server.name][name].append(value)
    return {name: dict(values) for name, values in figures.items()}


def measured(server: Server, pid: int, options: argparse.Namespace) -> dict[str, float]:
    """One round of one server."""
    seconds = options.seconds
    one = send(server.url, SKETCH, seconds / 2, connections=1)
    cpu = cpu_seconds(pid)
    many = send(server.url, SKETCH, seconds, connections=CLIENTS)
    spent = cpu_seconds(pid) - cpu
    steady = send(server.url, SKETCH, seconds, connections=_STEADY_CONNECTIONS, per_s=0.8 * many.ok_per_s)
    values = {
        "p50_ms": one.p50_ms,
        "saturation_per_s": many.ok_per_s,
        "cpu_ms": spent * 1000 / max(1, many.ok),
        "p50_at_80_ms": steady.p50_ms,
        "p99_at_80_ms": steady.p99_ms,
    }
    if options.overload and server.name.startswith("Inkseek"):
        for times in (3, 10):
            before = statuses(server)
            over = send(server.url, SKETCH, seconds, connections=_FLOOD_CONNECTIONS, per_s=times * many.ok_per_s)
            values[f"goodput_{times}x"] = over.ok_per_s / many.ok_per_s
            values[f"offered_{times}x"] = over.answers / over.seconds / many.ok_per_s
            values[f"others_{times}x"] = over.broken + others(statuses(server) - before)
    return values


def statuses(server: Server) -> Counter[str]:
    """How many searches the service has answered, by status; hung up on by wrk at its end is 499."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer:
        return Counter({status: int(float(count)) for status, count in _STATUS.findall(answer.read().decode())})


def others(counts: Counter[str]) -> int:
    """Answers that are neither good nor a 429, nor to a client that hung up."""
    return sum(count for status, count in counts.items() if status not in ("200", "429", "499"))


def cpu_seconds(root: int) -> float:
    """CPU time of a process and all that it has started, as far as they are alive."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            values = stat.read_text().rpartition(")")[2].split()
        except OSError:  # ended in this moment
            continue
        pid = int(stat.parent.name)
        parents[pid], ticks[pid] = int(values[1]), int(values[11]) + int(values[12])
    family = {root}
    while found := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= found
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


@contextmanager
def started(server: Server, environment: dict[str, str]) -> Iterator[int]:
    """The server's process; its whole group is stopped with the block."""
    process = subprocess.Popen(
        server.command, cwd=ROOT, env=environment, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(server: Server) -> bool:
    """Waits for good answers alone; a server that gives none is left out, and said so."""
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        with suppress(subprocess.CalledProcessError):  # nobody listens yet
            if (outcome := send(server.url, SKETCH, 1, connections=4)).ok and not outcome.not_ok + outcome.broken:
                return True
        time.sleep(0.5)
    print(f"{server.name} did not answer within {_START_S:g} s, and is left out", file=sys.stderr)
    return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
