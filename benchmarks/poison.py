"""Thousands of files and bodies that are made to cost much: what does each take of processor time and memory?

    python benchmarks/poison.py --count 20000 --log var/poison.jsonl

Baseline: the bar, 1 s of processor time and 128 MiB above the resting peak, per request, in the service's own limits.
Each file is decoded as a sketch, and as an uploaded photo where it is no SVG; each body is read as one sketch, which is
then decoded, as a batch, and as a form of examples. Counted are this process and its child processes; the peak is the
kernel's own (VmHWM, reset before each try; of a child that was ended, ru_maxrss). Good files are decoded throughout.

With `--log` a run goes on where it was stopped, and its end sums up all of it.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import itertools
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from models.bundle import PHOTO_MATTE, Preprocess, SketchNormalisation, decode_image
from models.errors import InkseekError
from service.adaptation.examples import SupportLimits
from service.config import Settings, load_settings
from service.http.forms.body import Upload, read_batch, read_single
from service.http.forms.support_form import read_examples
from service.runtime.heap import give_large_blocks_back
from service.runtime.serving import sketch_decoder
from service.sketches.decode import SketchDecoder
from service.sketches.sketch import EncodedImage
from service.sketches.svg.text import looks_like_svg
from tests.unit.images.poison_files import drawing, encoded, poison_files
from tests.unit.service.sketches.poison_bodies import poison_bodies

Attempt: TypeAlias = tuple[str, Callable[[], object]]
"""What the service may do with a file: its name, and the call."""

CPU_S, PEAK_MIB = 1.0, 128.0
IDLE_CHILD_MIB = 37.0  # resident memory of a child that waits
_PREPROCESS = Preprocess(size_px=224, sketch=SketchNormalisation(), mean=(0.0,) * 3, std=(1.0,) * 3)
_PHOTO_PX = 256


@dataclass
class Meter:
    """Processor time and memory of this process and its children, since it was set."""

    decoder: SketchDecoder
    _rest: dict[int, float] = field(default_factory=dict)
    _cpu_s: float = 0.0
    _ended_mib: float = 0.0
    _born: dict[int, float] = field(default_factory=dict)

    def pids(self) -> list[int]:
        isolated = self.decoder.images.isolated
        return [os.getpid(), *self.decoder.svg.pids, *(isolated.pids if isolated else ())]

    def rest(self) -> None:
        """Take what idle processes hold as the rest: anew for each file, so that none answers for another's growth."""
        self._note_births()
        self._born = {pid: mib for pid, mib in self._born.items() if pid in self.pids()}
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")
            self._rest[pid] = status_mib(pid, "VmRSS")
        self._cpu_s = self._cpu()
        self._ended_mib = _ended_mib()

    def read(self) -> tuple[float, float]:
        """Seconds of processor time and MiB above the rest."""
        self._note_births()
        alive = self.pids()
        parent, *children = (max(0.0, status_mib(pid, "VmHWM") - self._rest.get(pid, IDLE_CHILD_MIB)) for pid in alive)
        inherited = [mib for pid, mib in self._born.items() if pid not in alive]
        if (ended := _ended_mib()) > max(self._ended_mib, self._parent_mib(), *inherited):
            # The largest of all children that were ended; one below an earlier file's is covered by that file's figure.
            children.append(ended - IDLE_CHILD_MIB)
        # One job at a time: no two children are at their peak together.
        return self._cpu() - self._cpu_s, parent + max(children, default=0.0)

    def _note_births(self) -> None:
        """The kernel counts what the parent held when a child was started as the child's own."""
        for pid in self.pids()[1:]:
            self._born.setdefault(pid, self._parent_mib())

    def _parent_mib(self) -> float:
        return status_mib(os.getpid(), "VmHWM")

    def _cpu(self) -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        alive = 0.0
        for pid in self.pids()[1:]:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            alive += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return time.process_time() + alive + ended.ru_utime + ended.ru_stime


def _ended_mib() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def status_mib(pid: int, name: str) -> float:
    """A line of a process's memory figures, VmRSS or VmHWM, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def outcomes_of(decoder: SketchDecoder, data: bytes) -> list[str]:
    """What the service makes of the file, as a sketch and as a photo: ok, or the class of the error."""
    return [_outcome(attempt) for attempt in _of_file(decoder, data)]


def _outcome(attempt: Attempt) -> str:
    role, work = attempt
    try:
        work()
        return f"{role}ok"
    except InkseekError as error:
        return f"{role}{type(error).__name__}"


def _of_file(decoder: SketchDecoder, data: bytes) -> list[Attempt]:
    attempts: list[Attempt] = [("", lambda: _PREPROCESS(decoder.decode(EncodedImage(data), _PREPROCESS)))]
    if not looks_like_svg(data):
        photo = partial(decode_image, data, decoder.images, draft_px=_PHOTO_PX, matte=PHOTO_MATTE)
        attempts.append(("photo ", photo))
    return attempts


def _of_body(decoder: SketchDecoder, settings: Settings, media_type: str, data: bytes) -> list[Attempt]:
    upload = Upload(data, media_type)
    return [
        ("body ", lambda: _PREPROCESS(decoder.decode(read_single(upload, decoder.strokes), _PREPROCESS))),
        ("batch ", lambda: read_batch(upload, settings.max_batch_items, decoder.strokes)),
        ("examples ", lambda: read_examples(upload, SupportLimits(settings.max_pairs, settings.max_support_photos))),
    ]


def measured(decoder: SketchDecoder, settings: Settings, meter: Meter, number: int, seed: int) -> dict[str, Any]:
    """One file, or each fourth time a body: the most that any use of it took."""
    if number % 4 == 3:
        ((kind, (media_type, data)),) = poison_bodies(1, seed, number // 4)
        attempts = _of_body(decoder, settings, media_type, data)
    else:
        ((kind, data),) = poison_files(1, seed, number - number // 4)
        attempts = _of_file(decoder, data)
    outcomes, cpu_s, peak_mib = [], 0.0, 0.0
    for attempt in attempts:
        meter.rest()
        outcomes.append(_outcome(attempt))
        taken = meter.read()
        cpu_s, peak_mib = max(cpu_s, taken[0]), max(peak_mib, taken[1])
    return {
        "number": number,
        "kind": kind,
        "sha256": hashlib.sha256(data).hexdigest()[:24],
        "cpu_s": round(cpu_s, 3),
        "peak_mib": round(peak_mib, 1),
        "outcomes": outcomes,
    }


def report(taken: list[dict[str, Any]]) -> int:
    """Print what was measured, and how many were beyond the bar."""
    kinds = collections.defaultdict(list)
    for one in taken:
        kinds[one["kind"]].append(one)
    for kind, ones in sorted(kinds.items()):
        cpu_s, peak_mib = max(one["cpu_s"] for one in ones), max(one["peak_mib"] for one in ones)
        print(f"{kind:16} {len(ones):6}   at most {cpu_s:.2f} s   {peak_mib:4.0f} MiB")
    beyond = [one for one in taken if one["cpu_s"] > CPU_S or one["peak_mib"] > PEAK_MIB or one.get("wrong")]
    results = collections.Counter(itertools.chain.from_iterable(one["outcomes"] for one in taken))
    print(f"{len({one['sha256'] for one in taken}):,} distinct files and bodies; {dict(results.most_common())}")
    print("\n".join(map(str, beyond)) or "none beyond the bar")
    return len(beyond)


def main() -> int:
    """Measure, print, and return 1 where a file takes more than the bar."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=640)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="a line of JSON for each; a run goes on behind the last")
    arguments = parser.parse_args()
    give_large_blocks_back()
    settings = load_settings({}, index=Path("nowhere"))
    decoder = sketch_decoder(settings)
    meter = Meter(decoder)
    good = [encoded(256, kind) for kind in ("PNG", "WEBP")] + [
        b'<svg viewBox="0 0 9 9"><path d="M1 1L8 8" stroke="red"/></svg>'
    ]
    right = [outcomes_of(decoder, data) for data in good]
    drawing(256)
    taken = _logged(arguments.log)
    log = arguments.log.open("a") if arguments.log else None
    for number in range(len(taken), arguments.count):
        one = measured(decoder, settings, meter, number, arguments.seed)
        if number % 100 == 99:
            one["wrong"] = [outcomes_of(decoder, sample) for sample in good] != right
            print(f"{number + 1:,} files and bodies", file=sys.stderr, flush=True)
        taken.append(one)
        if log is not None:
            print(json.dumps(one), file=log, flush=True)
    decoder.close()
    return int(report(taken) > 0)


def _logged(log: Path | None) -> list[dict[str, Any]]:
    if log is None:
        return []
    log.parent.mkdir(parents=True, exist_ok=True)
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


if __name__ == "__main__":
    raise SystemExit(main())
