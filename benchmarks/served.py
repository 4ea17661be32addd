"""`inkseek serve` in a process of its own, for the benchmarks that ask it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def served(index: Path, options: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """Serve an index with these options on a free port, which it gives; of `INKSEEK_*`, `environment` alone is set."""
    command = [sys.executable, "-m", "inkseek", "serve", "--index", str(index), "--port", "0", *options]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("INKSEEK_")}
    variables = {**inherited, **(environment or {})}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"Draw at http://\S+:(\d+)/", line):
                break
        else:
            raise RuntimeError("the service did not start: " + "".join(said))
        # A pipe that nobody reads fills, and the service would wait with its next line.
        Thread(target=process.stderr.read, daemon=True).start()
        try:
            yield int(found.group(1))
        finally:
            process.send_signal(signal.SIGTERM)
