"""SIGKILLs at random moments of builds, updates, deletions, compactions, rollbacks and publications. Goal: no loss.

python -m benchmarks.indexing.kills [--kills 300] [--photos 120] [--seed 0] [--bundle stand-in]

A killed command counts; one that was done before its moment came does not. After each, the published version is
checked byte by byte. Its photos must be those that were published before, or those that the command was publishing:
none lost, none doubled, none back from the dead, no version half-published. At the end an update must bring the gallery
as it is, and leave nothing behind on the disk. Changes of photos while they are served are killed by
`benchmarks/robustness/kills.py`; a further command is a further entry of `COMMANDS`.
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.indexing.stand_in import bundle_or_stand_in
from index_builder.artifact import GalleryIndex, layout
from index_builder.build import BuildRequest, build_index, update_index

RUN = """
import sys
from pathlib import Path
from index_builder.build import BuildRequest, build_index, compact_index, update_index
from index_builder.publish import rollback

what, photos, out, bundle, resume = sys.argv[1:]
request = BuildRequest(
    Path(photos), Path(out), bundle=bundle, keep=2, resume=resume == "resume", workers=2, partition_photos=16,
    max_deleted=1.0,
)

def progress(stage, done, total):
    if stage == "publish" and not done:
        print("publish", flush=True)

print("ready", flush=True)
if what == "rollback":
    rollback(Path(out))
else:
    {"build": build_index, "update": update_index, "compact": compact_index}[what](request, progress)
"""

PUBLISH_S = 0.06  # from the manifest over the swap of the pointer to the removal of what is no longer needed

Photos = dict[str, str]
"""Id and content of each photo."""


@dataclass(frozen=True)
class Command:
    """A command to kill. `prepare` changes the gallery before it; `becomes`: what it publishes, if it is not killed.

    `run`: its name in the process. `at_publish`: it is killed while it publishes, not at any moment.
    """

    run: str
    prepare: Callable[[Kills], None]
    becomes: Callable[[Kills], Photos]
    at_publish: bool = False


@dataclass
class Kills:
    """A gallery that changes, its index, and what is known of both. `seconds`: how long each command takes unkilled."""

    gallery: Path
    out: Path
    bundle: str
    random: random.Random
    seconds: dict[str, float] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    drawn: int = 0

    def add(self, count: int) -> None:
        """Photos that no other one equals."""
        for _ in range(count):
            pixels = np.random.default_rng(self.drawn).integers(0, 255, (16, 16, 3), dtype=np.uint8)
            path = self.gallery / f"c{self.drawn % 3}" / f"{self.drawn:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
            self.drawn += 1

    def delete(self) -> None:
        """Some photos go."""
        paths = sorted(self.gallery.rglob("*.png"))
        for path in self.random.sample(paths, min(4, len(paths) // 4)):
            path.unlink()

    def change(self) -> None:
        """Some photos come, go and are renamed."""
        self.add(self.random.randrange(2, 8))
        self.delete()
        paths = sorted(self.gallery.rglob("*.png"))
        for path in self.random.sample(paths, min(3, len(paths) // 4)):
            path.rename(path.with_name(f"{self.drawn:05d}r.png"))
            self.drawn += 1

    def listed(self) -> Photos:
        """The photos in the gallery."""
        return {
            path.relative_to(self.gallery).as_posix(): layout.hash_file(path).sha256
            for path in self.gallery.rglob("*.png")
        }

    def published(self, version: str | None = None) -> Photos:
        """The photos in the published version, or in a named one, every byte of which is checked."""
        index = GalleryIndex.load(self.out, version=version)
        assert index.problems() == [], index.problems()
        photos = {record.photo_id: record.sha256 for record in index.records()}
        assert len(photos) == index.count
        index.close()
        return photos

    def before_published(self) -> Photos:
        """The photos of the version before the published one; of that itself where it is the first."""
        versions = layout.list_versions(self.out)
        return self.published(versions[max(0, versions.index(layout.current_version(self.out)) - 1)])

    def kill_once(self, name: str | None = None) -> None:
        """Run a command, a random one by default, and kill it somewhere. Raises AssertionError."""
        name = name or self.random.choice(sorted(COMMANDS))
        if name == "rollback" and layout.list_versions(self.out)[0] == layout.current_version(self.out):
            name = "update"
        command = COMMANDS[name]
        command.prepare(self)
        before = self.published()
        allowed = [before, command.becomes(self)]
        killed = self._run(name, command)
        self.killed += killed
        now = self.published()
        assert now in allowed, f"{name}: {set(now.items()) ^ set(allowed[-1].items())}"
        # Versions that stay for a rollback are as whole as the published one.
        for version in layout.list_versions(self.out):
            self.published(version)
        self.outcomes[f"{name}, {'killed' if killed else 'done'}, {'as before' if now == before else 'changed'}"] += 1

    def _run(self, name: str, command: Command) -> bool:
        """Whether it was killed before it was done."""
        resume = self.random.choice(["resume", "anew"])
        arguments = [command.run, str(self.gallery), str(self.out), self.bundle, resume]
        with subprocess.Popen([sys.executable, "-c", RUN, *arguments], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", f"{name} did not start"
            started = time.monotonic()
            if command.at_publish:
                process.stdout.readline()  # empty where there was nothing to publish
                wait_s = self.random.random() * PUBLISH_S
            else:
                wait_s = self.random.random() * self.seconds.get(name, 1.0)
            try:
                process.wait(wait_s)
            except subprocess.TimeoutExpired:
                process.kill()
        if process.returncode == 0 and not command.at_publish:
            self.seconds[name] = time.monotonic() - started
        assert process.returncode in (0, -9), f"{name} failed by itself"
        return process.returncode != 0

    def finish(self) -> None:
        """An update brings the gallery as it is, and nothing else lies on the disk. Raises AssertionError."""
        request = BuildRequest(self.gallery, self.out, bundle=self.bundle, keep=2, resume=True, max_deleted=1.0)
        update_index(request)
        assert self.published() == self.listed()
        assert {path.name for path in self.out.iterdir()} <= {".lock", "current", "current_of", "segments", "versions"}
        named = set()
        versions = layout.list_versions(self.out)
        for version in versions:
            index = GalleryIndex.load(self.out, version=version)
            named |= {entry.name for entry in index.manifest.segments}
            index.close()
        for folder, wanted in ((layout.segments_dir(self.out), named), (layout.versions_dir(self.out), set(versions))):
            there = {path.name for path in folder.iterdir()}
            assert there == wanted, (
                f"{folder.name}: {sorted(there - wanted)} too many, {sorted(wanted - there)} missing"
            )


def _as_it_is(kills: Kills) -> None:
    pass


COMMANDS: Mapping[str, Command] = {
    "build": Command("build", Kills.change, Kills.listed),
    "update": Command("update", Kills.change, Kills.listed),
    "delete": Command("update", Kills.delete, Kills.listed),
    "compact": Command("compact", _as_it_is, Kills.published),
    "rollback": Command("rollback", _as_it_is, Kills.before_published),
    "publish": Command("update", Kills.change, Kills.listed, at_publish=True),
}


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
    parser.add_argument("--bundle", default="stand-in", help="a bundle's name or directory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kills = begun(folder, bundle_or_stand_in(options.bundle, folder), options.photos, options.seed)
        while kills.killed < options.kills:
            kills.kill_once()
        kills.finish()
    print(json.dumps({"killed": kills.killed, "outcomes": dict(sorted(kills.outcomes.items()))}, indent=2))


if __name__ == "__main__":
    main()
