"""SIGKILLs at random moments of builds, updates, compactions and rollbacks: what is published must always be whole.

python benchmarks/index_kills.py [--kills 300] [--photos 120] [--seed 0]

After each kill the published version is checked byte by byte. Its photos must be those that were published before, or
those that the killed command was publishing: none lost, none doubled, none back from the dead. At the end an update
must bring the gallery as it is, and leave nothing behind on the disk.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from index_builder.artifact import GalleryIndex, layout
from index_builder.build import BuildRequest, build_index, update_index

RUN = """
import sys
from pathlib import Path
from index_builder.build import BuildRequest, build_index, compact_index, update_index
from index_builder.publish import rollback

what, photos, out, bundle, resume = sys.argv[1:]
request = BuildRequest(
    Path(photos), Path(out), bundle=bundle, keep=2, resume=resume == "resume", workers=2, partition_photos=16
)
print("ready", flush=True)
if what == "rollback":
    rollback(Path(out))
else:
    {"build": build_index, "update": update_index, "compact": compact_index}[what](request)
"""

COMMANDS = ("build", "update", "update", "update", "compact", "rollback")


@dataclass
class Kills:
    """A gallery that changes, its index, and what is known of both. `seconds`: how long each command takes unkilled."""

    gallery: Path
    out: Path
    bundle: str
    random: random.Random
    seconds: dict[str, float] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    drawn: int = 0

    def add(self, count: int) -> None:
        """Photos that no other one equals."""
        for _ in range(count):
            pixels = np.random.default_rng(self.drawn).integers(0, 255, (16, 16, 3), dtype=np.uint8)
            path = self.gallery / f"c{self.drawn % 3}" / f"{self.drawn:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
            self.drawn += 1

    def change(self) -> None:
        """Some photos come, go and are renamed."""
        self.add(self.random.randrange(6))
        paths = sorted(self.gallery.rglob("*.png"))
        for path in self.random.sample(paths, min(6, len(paths) // 4)):
            if self.random.random() < 0.5:
                path.unlink()
            else:
                path.rename(path.with_name(f"{self.drawn:05d}r.png"))
                self.drawn += 1

    def listed(self) -> dict[str, str]:
        """Id and content of each photo in the gallery."""
        return {
            path.relative_to(self.gallery).as_posix(): layout.hash_file(path).sha256
            for path in self.gallery.rglob("*.png")
        }

    def published(self) -> dict[str, str]:
        """Id and content of each photo in the published version, every byte of which is checked."""
        index = GalleryIndex.load(self.out)
        assert index.problems() == [], index.problems()
        photos = {record.photo_id: record.sha256 for record in index.records()}
        assert len(photos) == index.count
        index.close()
        return photos

    def kill_once(self) -> str:
        """Run a command and kill it somewhere; returns which command it was. Raises AssertionError."""
        self.change()
        what = self.random.choice(COMMANDS)
        if what == "rollback" and layout.list_versions(self.out)[0] == layout.current_version(self.out):
            what = "update"
        before, versions = self.published(), layout.list_versions(self.out)
        allowed = [before]
        if what == "rollback":
            earlier = versions[versions.index(layout.current_version(self.out)) - 1]
            index = GalleryIndex.load(self.out, version=earlier)
            allowed.append({record.photo_id: record.sha256 for record in index.records()})
            index.close()
        elif what != "compact":
            allowed.append(self.listed())
        killed = self._run(what)
        now = self.published()
        assert now in allowed, f"{what}: {set(now.items()) ^ set(allowed[-1].items())}"
        self.outcomes[f"{what}, {'killed' if killed else 'done'}, {'as before' if now == before else 'changed'}"] += 1
        return what

    def _run(self, what: str) -> bool:
        """Whether it was killed before it was done."""
        resume = self.random.choice(["resume", "anew"])
        command = [sys.executable, "-c", RUN, what, str(self.gallery), str(self.out), self.bundle, resume]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", f"{what} did not start"
            started = time.monotonic()
            try:
                process.wait(self.random.random() * self.seconds.get(what, 1.0) * 1.1)
            except subprocess.TimeoutExpired:
                process.kill()
        if process.returncode == 0:
            self.seconds[what] = time.monotonic() - started
        assert process.returncode in (0, -9), f"{what} failed by itself"
        return process.returncode != 0

    def finish(self) -> None:
        """An update brings the gallery as it is, and nothing else lies on the disk. Raises AssertionError."""
        update_index(BuildRequest(self.gallery, self.out, bundle=self.bundle, keep=2, resume=True))
        assert self.published() == self.listed()
        assert {path.name for path in self.out.iterdir()} <= {".lock", "current", "current_of", "segments", "versions"}
        named = set()
        for version in layout.list_versions(self.out):
            index = GalleryIndex.load(self.out, version=version)
            named |= {entry.name for entry in index.manifest.segments}
            index.close()
        assert {path.name for path in layout.segments_dir(self.out).iterdir()} == named
        assert {path.name for path in layout.versions_dir(self.out).iterdir()} == set(layout.list_versions(self.out))


def begun(folder: Path, bundle: str, photos: int, seed: int) -> Kills:
    """A built index of that many photos."""
    kills = Kills(folder / "photos", folder / "index", bundle, random.Random(seed))
    kills.add(photos)
    started = time.monotonic()
    build_index(BuildRequest(kills.gallery, kills.out, bundle=bundle, workers=2, partition_photos=16))
    kills.seconds = dict.fromkeys(COMMANDS, time.monotonic() - started)
    return kills


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--photos", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bundle", default="small", help="a shipped bundle's name, or a directory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kills = begun(Path(folder), options.bundle, options.photos, options.seed)
        while sum(kills.outcomes.values()) < options.kills:
            kills.kill_once()
        kills.finish()
    print(json.dumps({"runs": options.kills, "outcomes": dict(sorted(kills.outcomes.items()))}, indent=2))


if __name__ == "__main__":
    main()
