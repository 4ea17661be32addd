"""Killed with SIGKILL under load, again and again: is anything lost that was acknowledged?

    python -m benchmarks.robustness.kills --kills 500

Each time two clients adapt categories with photos that they upload, a third searches, and a process writes API keys. At
a random moment the service and the writer of keys are killed. What was answered has to be there afterwards: adapters
with their examples, photos with their pictures, keys. What was not may be there as a whole. The bar: none lost.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import queue
import random
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from benchmarks.robustness.service_process import PHOTO_IDS, ROOT, build_gallery, picture
from models.adapters import Adaptation
from models.bundle import add_adaptation
from service.access.key_file import add_key, read_keys
from service.access.keys import make_key
from service.access.principal import ALL_ACCESS
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget
from tests.conftest import TINY_DIM, tiny_onnx, write_tiny

_START_S = 120.0
_NO_TLS = ssl.create_default_context()


@dataclass
class Acknowledged:
    """What was answered with success."""

    adapters: list[tuple[str, str]] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


class Nursery:
    """The process that forks those who are to be killed."""

    def __init__(self) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.robustness.nursery"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment,
        )  # fmt: skip
        self.said: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.put(json.loads(line))

    def begin(self, **job: Any) -> None:
        """Fork a process that does this."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End it; its children were killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def kill(pid: int) -> None:
    """And wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _START_S
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.002)


def png(image: Image.Image) -> bytes:
    """As a file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def client_of(url: str, token: str) -> httpx.Client:
    """Of one user; what certificates take is spent once for all."""
    return httpx.Client(base_url=url, headers={"X-API-Key": token}, timeout=60, verify=_NO_TLS)


def adapt_until_killed(url: str, token: str, category: str, seed: int, done: Acknowledged) -> None:
    """Adapter after adapter, each with a photo or two that nobody has seen yet."""
    rng = np.random.default_rng(seed)
    sketches = [("sketch", png(picture(number))) for number in range(2)]
    with client_of(url, token) as client, suppress(httpx.TransportError):
        while True:
            new = [png(Image.fromarray(rng.integers(0, 255, (48, 48, 3), dtype=np.uint8))) for _ in range(2)]
            answer = client.post(
                f"/v1/categories/{category}/adapters?force=true",
                files=[*sketches, *(("photo", photo) for photo in new)],
            )
            if answer.status_code == 201:
                body = answer.json()
                done.adapters.append((category, body["adapter_id"]))
                done.photos.extend(body["photos_added"])
            elif answer.status_code not in (409, 429):
                raise AssertionError(f"an answer that none expects: {answer.status_code} {answer.text}")


def search_until_killed(url: str, token: str) -> None:
    """The load beside the writes."""
    sketch = png(picture(2))
    with client_of(url, token) as client, suppress(httpx.TransportError):
        while True:
            client.post("/v1/search", content=sketch)
            time.sleep(0.01)


@dataclass
class Ordeal:
    """One store through many kills."""

    index: Path
    bundle: Path
    folder: Path
    bundle_id: str
    tokens: list[str]
    nursery: Nursery
    total: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    last: Acknowledged = field(default_factory=Acknowledged)

    def round(self, number: int, moment_s: float) -> None:
        """Start, look at what the last round left, write, kill, look again."""
        settings = {"index": str(self.index), "bundle": str(self.bundle), "online_dir": str(self.folder), "port": 0}
        self.nursery.begin(
            what="serve", settings=settings | {"threads": 2, "max_online_targets": 100_000, "log_level": "error"}
        )
        pid, url, done = 0, "", Acknowledged()
        while not (pid and url):
            said = self.nursery.said.get(timeout=_START_S)
            pid, url = said.get("pid", pid), said.get("url", url)
        self._ask(url, number)
        self.nursery.begin(what="keys", path=str(self.folder / "keys.json"))
        clients = [
            threading.Thread(
                target=adapt_until_killed, args=(url, self.tokens[who], f"r{number}-{who}", 2 * number + who, done)
            )
            for who in range(2)
        ]
        clients.append(threading.Thread(target=search_until_killed, args=(url, self.tokens[2])))
        for client in clients:
            client.start()
        writer = self._writer_began(done)
        deadline = time.monotonic() + _START_S
        while not done.adapters and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(moment_s)
        kill(pid)
        kill(writer)
        for client in clients:
            client.join()
        time.sleep(0.01)
        while not self.nursery.said.empty():
            done.keys += [said["key_id"]] if "key_id" in (said := self.nursery.said.get()) else []
        self._look(done)
        self.last = done
        self.total.update(kills=1, adapters=len(done.adapters), photos=len(done.photos), keys=len(done.keys))

    def _writer_began(self, done: Acknowledged) -> int:
        while True:
            said = self.nursery.said.get(timeout=_START_S)
            if said.get("what") == "keys":
                return int(said["pid"])
            done.keys += [said["key_id"]] if "key_id" in said else []

    def _ask(self, url: str, number: int) -> None:
        """The service that was started anew, about the last thing that was acknowledged."""
        with client_of(url, self.tokens[number % 3]) as client:
            for category, adapter_id in self.last.adapters[-1:]:
                answer = client.get(f"/v1/categories/{category}/adapters/{adapter_id}")
                self.lost += [] if answer.status_code == 200 else [f"{number}: {adapter_id} is not served"]
            for photo_id in self.last.photos[-1:]:
                answer = client.get(f"/v1/photos/{photo_id}/image")
                self.lost += [] if answer.status_code == 200 else [f"{number}: {photo_id} is not served"]

    def _look(self, done: Acknowledged) -> None:
        """Into the files, as a process that starts would."""
        number = self.total["kills"]
        with closing(sqlite3.connect(self.folder / "online.sqlite")) as database:
            if database.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
                self.lost.append(f"{number}: the database is damaged")
        store = OnlineStore(self.folder, self.bundle_id, TINY_DIM)
        known = {photo.photo_id for photo in store.state().photos}
        self.lost += [f"{number}: photo {photo_id}" for photo_id in done.photos if photo_id not in known]
        self.lost += [f"{number}: picture of {photo_id}" for photo_id in done.photos[-3:] if not store.image(photo_id)]
        for category in sorted({category for category, _ in done.adapters}):
            listed = store.list_adapters(AdapterTarget("category", category))
            there = {adapter.adapter_id: adapter for adapter in listed}
            self.lost += [f"{number}: {one}" for name, one in done.adapters if name == category and one not in there]
            for adapter in there.values():  # also those that nobody was told of
                pairs = store.support_of(adapter.adapter_id)
                if len(pairs) != adapter.k or not {pair.photo_id for pair in pairs} <= known | set(PHOTO_IDS):
                    self.lost.append(f"{number}: {adapter.adapter_id} is not whole")
        store.close()
        kept = {key.key_id for key in read_keys(self.folder / "keys.json")}
        self.lost += [f"{number}: key {key_id}" for key_id in done.keys if key_id not in kept]
        if number % 25 == 24:  # or the file of keys would be what takes the time
            text = json.loads((self.folder / "keys.json").read_text())
            text["keys"] = text["keys"][:3]
            (self.folder / "keys.json").write_text(json.dumps(text))


def main() -> int:
    """Kill, count, and return 1 where something was lost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    moments, began = random.Random(arguments.seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="inkseek-kills-") as scratch:
        root = Path(scratch)
        bundle = write_tiny(root / "tiny", tiny_onnx())
        add_adaptation(bundle, Adaptation.untrained(TINY_DIM))
        index, online = build_gallery(root, str(bundle)), root / "online"
        online.mkdir()
        new = [make_key(f"client {number}", tuple(sorted(ALL_ACCESS))) for number in range(3)]
        for one in new:
            add_key(online / "keys.json", one.key)
        bundle_id = json.loads((bundle / "manifest.json").read_text())["bundle_id"]
        ordeal = Ordeal(index, bundle, online, bundle_id, [one.token for one in new], Nursery())
        for number in range(arguments.kills):
            ordeal.round(number, moments.choice((0.02, 0.1, 0.4)) * moments.random())
            if number % 10 == 9 or number == arguments.kills - 1:
                print(f"{dict(ordeal.total)}, {len(ordeal.lost)} lost, {time.monotonic() - began:.0f} s", flush=True)
        ordeal.nursery.close()
    print("\n".join(ordeal.lost) or "none lost")
    return bool(ordeal.lost)


if __name__ == "__main__":
    raise SystemExit(main())
