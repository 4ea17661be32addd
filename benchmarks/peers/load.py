"""The load: wrk, which takes 0.01 ms of CPU per request, with `form.lua`; and what it says of the answers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("form.lua")
_TIMEOUT_S = 20  # an answer that takes longer is broken


@dataclass(frozen=True)
class Outcome:
    """Answers to one load: those with another status than 2xx, broken connections, percentiles of all in ms."""

    seconds: float
    answers: int
    not_ok: int
    broken: int
    p50_ms: float
    p99_ms: float

    @property
    def ok(self) -> int:
        """Good answers."""
        return self.answers - self.not_ok

    @property
    def ok_per_s(self) -> float:
        """Goodput."""
        return self.ok / self.seconds


def check_installed() -> None:
    """Raises SystemExit where there is no wrk."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: it is a package of Debian and Ubuntu (apt-get install wrk)")


def send(url: str, image: Path, seconds: float, *, connections: int, per_s: float = 0) -> Outcome:
    """Forms with `image`, each connection's next one when its last is answered; or `per_s` of them at even distances.

    At a rate, latency counts from when a request was sent: with `connections` to spare that is when it was due.
    """
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{max(1, round(seconds))}s"]
    command += ["--timeout", f"{_TIMEOUT_S}s", "--script", str(_SCRIPT), url]
    said = subprocess.check_output([*command, "--", str(image), str(per_s)], text=True, stderr=subprocess.PIPE)
    found = re.search(r"^result (\{.*\})$", said, re.MULTILINE)
    assert found is not None, said
    return Outcome(**json.loads(found[1]))
