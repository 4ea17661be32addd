"""Commands that serve, as processes of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


def clean_environment(**more: str) -> dict[str, str]:
    """Without settings of Inkseek, and without what would find the modules of a checkout."""
    left_out = ("INKSEEK_", "PYTHONPATH", "XDG_")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)} | more


@contextmanager
def serving(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address that the command announced; at the end it is stopped, and has to end well."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group of its own, so that nothing of it outlives a test that fails
    )
    assert process.stderr is not None
    try:
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r'Draw at (http://[^\s"]+)', line):
                yield found.group(1)
                break
        else:
            raise AssertionError("it did not start: " + "".join(said))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()
