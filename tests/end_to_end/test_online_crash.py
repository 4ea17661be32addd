"""Killed with SIGKILL at any moment while it adapts, activates or rolls back: the old adapter or the new one, whole.

`KILLS=200 pytest tests/end_to_end/test_online_crash.py` kills as often as wanted.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from index_builder.build import BuildRequest, build_index
from models.adapters import Adaptation
from models.bundle import add_adaptation
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget

KILLS = int(os.environ.pop("KILLS", "24"))
DIM = 192
NEW = AdapterTarget("category", "new")

# Forks a process that has everything loaded already, for each kill a new one: it says what it is about to do and what
# it has done, and goes on until it is killed.
NURSERY = """
import json, os, sys
from pathlib import Path
from service.config import Settings
from service.runtime.serving import load_bundle, load_retriever
from service.store.records import AdapterTarget
from service.adaptation.examples import Examples
from service.adaptation.encoding import encode_photo, encode_sketch
from service.adaptation.fit import fit

index, bundle, online = map(Path, sys.argv[1:4])
sketches = [path.read_bytes() for path in sorted(index.parent.glob("gallery/*.png"))]
settings = Settings(index=index, bundle=bundle, online_dir=online)
encoders = load_bundle(settings)
new = AdapterTarget("category", "new")

def work(seed):
    retriever = load_retriever(settings, encoders)
    store = retriever.store
    def said(what):
        os.write(1, (json.dumps(what) + "\\n").encode())
    number = seed
    while True:
        number += 1
        said(["adapt"])
        own = [sketches[(number + n) % len(sketches)] for n in range(3)]
        examples = Examples(tuple(own), tuple(data + b"%d" % (number % 7) for data in own))
        drawn = [encode_sketch(retriever, data, n, new) for n, data in enumerate(own)]
        photos = {n: encode_photo(retriever, "new", data, n) for n, data in examples.uploads}
        fitted = fit(retriever, new, examples, drawn, photos, force=True)
        first = store.add(fitted, 10_000, 10_000).adapter_id
        said(["active", first])
        said(["adapt"])
        second = store.add(fitted, 10_000, 10_000).adapter_id
        said(["active", second])
        said(["activate", first])
        store.activate(new, first)
        said(["active", first])
        said(["roll back"])
        said(["active", store.roll_back(new)])

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        sys.stdin.close()
        work(int(line))
    os.write(1, (json.dumps(["child", child]) + "\\n").encode())
    os.waitpid(child, 0)
    os.write(1, b'["dead"]\\n')
"""


@pytest.fixture(scope="module")
def adaptable(tmp_path_factory: pytest.TempPathFactory, tiny_bundle_dir: Path) -> tuple[Path, Path]:
    """An index of twelve photos of noise, and a bundle that can adapt."""
    folder = tmp_path_factory.mktemp("adaptable")
    (folder / "gallery").mkdir()
    rng = np.random.default_rng(0)
    for place in range(12):
        strokes = np.where(rng.random((32, 32, 1)) < 0.3, 0, 255).repeat(3, axis=2).astype(np.uint8)
        Image.fromarray(strokes).save(folder / "gallery" / f"{place:02d}.png")
    bundle = folder / "bundle"
    bundle.mkdir()
    for path in tiny_bundle_dir.iterdir():
        (bundle / path.name).write_bytes(path.read_bytes())
    add_adaptation(bundle, Adaptation.untrained(DIM))
    build_index(BuildRequest(photos=folder / "gallery", out=folder / "index", bundle=bundle))
    return folder / "index", bundle


def is_whole(folder: Path, bundle_id: str) -> str | None:
    """Look at everything, as a process that starts would; the adapter that is active."""
    if not (folder / "online.sqlite").exists():
        return None
    with closing(sqlite3.connect(folder / "online.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    store = OnlineStore(folder, bundle_id, DIM)
    state = store.state()
    known = {photo.photo_id for photo in state.photos}
    for adapter in store.list_adapters():
        support = store.support_of(adapter.adapter_id)
        assert len(support) == adapter.k == 3
        assert {pair.photo_id for pair in support} | set(adapter.photos_added) <= known
    for photo in state.photos:
        assert photo.vector is not None and store.image(photo.photo_id) and store.thumbnail(photo.photo_id)
    store.check()
    store.close()
    return state.active.get(NEW)


@contextmanager
def nursery(index: Path, bundle: Path, online: Path) -> Iterator[Callable[[int, int, float], list[Any]]]:
    """Give a seed, a number and a moment: what a new process said until its end, that long after so many words."""
    command = [sys.executable, "-c", NURSERY, str(index), str(bundle), str(online)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        lines = (json.loads(line) for line in process.stdout)

        def kill_after(seed: int, words: int, seconds: float) -> list[Any]:
            assert process.stdin is not None
            process.stdin.write(f"{seed}\n")
            process.stdin.flush()
            said: list[Any] = []
            child = 0
            for line in lines:
                if line[0] == "child":
                    child = line[1]
                elif line[0] == "dead":
                    return said
                else:
                    said.append(line)
                if child and len(said) >= words:
                    time.sleep(seconds)
                    os.kill(child, signal.SIGKILL)
                    child = 0
            raise AssertionError("the nursery ended")

        yield kill_after
        process.stdin.close()


@dataclass
class Truth:
    """What was activated, in order; the naive stack of what each step has to do to it."""

    stack: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    @property
    def active(self) -> str | None:
        return self.stack[-1] if self.stack else None

    def after(self, step: list[Any], active: str | None) -> None:
        """`step` was done, and `active` was active then."""
        if step[0] == "roll back":
            gone = self.stack[-1]
            while self.stack and self.stack[-1] == gone:
                self.stack.pop()
        elif active is not None:
            assert step[0] == "activate" or active not in self.known  # an adapter that was never there before
            self.known.add(active)
            self.stack += [active] if self.active != active else []
        assert self.active == active

    def follow(self, said: list[Any], found: str | None) -> str:
        """What a process said until it was killed, and what is active now; returns the step that the kill cut short."""
        step: list[Any] = ["nothing"]
        for line in said:
            if line[0] == "active":
                self.after(step, line[1])
                step = ["nothing"]
            else:
                step = line
        if found == self.active:
            return f"{step[0]}, not done"
        assert step != ["nothing"]
        self.after(step, found)  # done, but nobody was told any more
        return f"{step[0]}, done"


def test_killed_at_random_moments(adaptable: tuple[Path, Path], tmp_path: Path) -> None:
    index, bundle = adaptable
    bundle_id = json.loads((bundle / "manifest.json").read_text())["bundle_id"]
    moments, truth, cut = random.Random(3), Truth(), Counter[str]()
    with nursery(index, bundle, tmp_path / "online") as kill_after:
        for number in range(KILLS):
            # By words and not by time alone, which a busy machine would spend on the first step: the changes themselves
            # take little of it. An odd word begins a step, an even one ends it.
            after_s = moments.choice((0.0, 0.01, 0.05)) * moments.random()
            said = kill_after(1000 * number, moments.randint(1, 8), after_s)
            cut[truth.follow(said, is_whole(tmp_path / "online", bundle_id))] += 1
    print(dict(cut))
    assert len(cut) > 1  # not all at the same place


@contextmanager
def served(index: Path, bundle: Path, online: Path) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    command = [sys.executable, "-m", "inkseek", "serve", "--index", str(index), "--bundle", str(bundle)]
    command += ["--online-dir", str(online), "--port", "0", "--workers", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        address = next(line for line in process.stderr if "Draw at" in line).split()[2]
        with httpx.Client(base_url=address, timeout=30) as client:
            try:
                yield process, client
            finally:
                process.kill()


def keep_adapting(client: httpx.Client, files: Any, answered: list[str]) -> None:
    while True:
        done = client.post("/v1/categories/new/adapters?force=true", files=files)
        answered += [done.json()["adapter_id"]] if done.status_code == 201 else []
        client.post("/v1/categories/new/adapters:rollback")


def test_a_service_killed_while_it_adapts(adaptable: tuple[Path, Path], tmp_path: Path) -> None:
    """What was answered is there after the restart; what was not is there atomically: all of it or nothing."""
    index, bundle = adaptable
    sketch, other = ((index.parent / "gallery" / name).read_bytes() for name in ("03.png", "07.png"))
    moments = random.Random(5)
    answered: list[str] = []
    for _ in range(3):
        with served(index, bundle, tmp_path / "online") as (process, client):
            found = client.post("/v1/search?category=new", content=sketch)
            if answered:
                assert found.json()["adapted"] == "adapter"
                listed = client.get("/v1/categories/new/adapters").json()
                assert set(answered) <= {adapter["adapter_id"] for adapter in listed["adapters"]}
                assert found.json()["adapter_id"] == listed["active"]
            files = [("sketch", sketch), ("sketch", other), ("photo", sketch), ("photo", other)]
            response = client.post("/v1/categories/new/adapters?force=true", files=files)
            assert response.status_code == 201, response.text
            answered.append(response.json()["adapter_id"])
            killer = subprocess.Popen(["sh", "-c", f"sleep {moments.random() * 0.05}; kill -9 {process.pid}"])
            with pytest.raises(httpx.TransportError):
                keep_adapting(client, files, answered)
            killer.wait()
            process.wait()
