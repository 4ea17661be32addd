"""Thousands of files that are made to cost much: what does each take of processor time and memory?

    python benchmarks/poison.py --count 5000

Baseline: the bar, 1 s of processor time and 128 MiB above the resting peak, per file, in the service's own limits.
Each file is decoded as a sketch, and as an uploaded photo where it is no SVG. Counted are this process and its child
processes; the peak is the kernel's own (VmHWM, reset before each file; of a child that was ended, ru_maxrss).
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import os
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from models.bundle import PHOTO_MATTE, Preprocess, SketchNormalisation, decode_image
from models.errors import InkseekError
from service.config import load_settings
from service.runtime.heap import give_large_blocks_back
from service.runtime.serving import sketch_decoder
from service.sketches.decode import SketchDecoder
from service.sketches.sketch import EncodedImage
from service.sketches.svg.text import looks_like_svg
from tests.unit.images.poison_files import drawing, encoded, poison_files

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
    _parent_mib: float = 0.0

    def pids(self) -> list[int]:
        isolated = self.decoder.images.isolated
        return [os.getpid(), *self.decoder.svg.pids, *(isolated.pids if isolated else ())]

    def rest(self) -> None:
        """Take what idle processes hold as the rest: anew for each file, so that none answers for another's growth."""
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")
            self._rest[pid] = status_mib(pid, "VmRSS")
        self._cpu_s = self._cpu()
        self._ended_mib = _ended_mib()
        self._parent_mib = status_mib(os.getpid(), "VmHWM")

    def read(self) -> tuple[float, float]:
        """Seconds of processor time and MiB above the rest."""
        parent, *children = (
            max(0.0, status_mib(pid, "VmHWM") - self._rest.get(pid, IDLE_CHILD_MIB)) for pid in self.pids()
        )
        if (ended := _ended_mib()) > max(self._ended_mib, self._parent_mib):
            # The largest of all children that were ended; one below an earlier file's is covered by that file's figure.
            # It counts the parent's own memory where a child was started and did not grow beyond it.
            children.append(ended - IDLE_CHILD_MIB)
        # One job at a time: no two children are at their peak together.
        return self._cpu() - self._cpu_s, parent + max(children, default=0.0)

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
    outcomes = []
    try:
        _PREPROCESS(decoder.decode(EncodedImage(data), _PREPROCESS))
        outcomes.append("ok")
    except InkseekError as error:
        outcomes.append(type(error).__name__)
    if not looks_like_svg(data):
        try:
            decode_image(data, decoder.images, draft_px=_PHOTO_PX, matte=PHOTO_MATTE)
            outcomes.append("photo ok")
        except InkseekError as error:
            outcomes.append(f"photo {type(error).__name__}")
    return outcomes


def main() -> int:
    """Measure, print, and return 1 where a file takes more than the bar."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=640)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    give_large_blocks_back()
    decoder = sketch_decoder(load_settings({}, index=Path("nowhere")))
    meter = Meter(decoder)
    good = [encoded(256, kind) for kind in ("PNG", "WEBP")] + [
        b'<svg viewBox="0 0 9 9"><path d="M1 1L8 8" stroke="red"/></svg>'
    ]
    right = [outcomes_of(decoder, data) for data in good]
    drawing(256)
    worst: dict[str, list[tuple[float, float]]] = collections.defaultdict(list)
    results: collections.Counter[str] = collections.Counter()
    beyond, digests = [], set()
    for number, (kind, data) in enumerate(poison_files(arguments.count, arguments.seed)):
        digests.add(hashlib.sha256(data).digest())
        meter.rest()
        outcomes = outcomes_of(decoder, data)
        cpu_s, peak = meter.read()
        # Both roles of the file were tried, each of which is a request of its own.
        cpu_s /= len(outcomes)
        worst[kind].append((cpu_s, peak))
        results.update(outcomes)
        if cpu_s > CPU_S or peak > PEAK_MIB:
            beyond.append(f"{number} {kind}: {cpu_s:.2f} s, {peak:.0f} MiB, {outcomes}")
        if number % 100 == 99:
            if [outcomes_of(decoder, sample) for sample in good] != right:
                beyond.append(f"{number}: good files are answered otherwise")
            print(f"{number + 1:,} files, {len(beyond)} beyond the bar", file=sys.stderr, flush=True)
    for kind, taken in sorted(worst.items()):
        cpu, peak = max(cpu for cpu, _ in taken), max(peak for _, peak in taken)
        print(f"{kind:14} {len(taken):6} files   at most {cpu:.2f} s   {peak:4.0f} MiB")
    print(f"{len(digests):,} distinct files; {dict(results.most_common())}")
    print(f"rest at the end: {[round(status_mib(pid, 'VmRSS')) for pid in meter.pids()]} MiB")
    print("\n".join(beyond) or "none beyond the bar")
    decoder.close()
    return bool(beyond)


if __name__ == "__main__":
    raise SystemExit(main())
