"""Runs the code of a tutorial as a reader would: block after block in one folder, against the real commands.

Fenced blocks of `sh` and `python` are run. A `text` block behind one is what it prints, in which `...` stands for
anything. A block of `sh` that serves is left running until the page ends. A block with a `title` is that file. Indented
blocks are shown and not run.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from inkseek_client import Client

ROOT = Path(__file__).resolve().parents[3]
TUTORIALS = ROOT / "docs" / "tutorials"
SHOWN, SHOWN_PAGE = "127.0.0.1:8000", "127.0.0.1:5000"
"""Where the service of a tutorial is, and where a page or app that uses it."""
LINKED = ("clients", "examples", "models")
_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)


def blocks_of(page: Path) -> list[tuple[str, str, str]]:
    """Language, file name or nothing, and code of each fenced block, in order."""
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class Reader:
    """Somebody who follows a tutorial in `folder`, which has the checkout's folders that `LINKED` names."""

    folder: Path
    port: int = field(default_factory=free_port)
    page_port: int = field(default_factory=free_port)
    served: list[subprocess.Popen[bytes]] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})

    def follow(self, page: Path) -> int:
        """Run the page's blocks, and compare what they print with what the page says; returns how many were run."""
        printed, count = "", 0
        for language, title, shown in blocks_of(page):
            code = shown.replace(SHOWN, f"127.0.0.1:{self.port}").replace(SHOWN_PAGE, f"127.0.0.1:{self.page_port}")
            if title:
                (self.folder / title).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / title).write_text(code, encoding="utf-8")
            elif language == "text":
                self.compare(printed, code, page)
            elif language == "sh" and "inkseek serve" in code:
                self.serve(f"{code.strip()} --port {self.port} --workers 1", f"http://127.0.0.1:{self.port}/readyz")
            elif language == "sh" and "http.server" in code:
                self.serve(code.strip().replace("5000", str(self.page_port)), f"http://127.0.0.1:{self.page_port}/")
            elif language == "sh":
                printed = self.shell(code)
            elif language == "python":
                printed = self.python(code, page)
            count += language in ("sh", "python") and not title
        return count

    @property
    def environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # A terminal of one width, so that tables look as they do in the page.
        return {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}

    def shell(self, code: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", code],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=400, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def python(self, code: str, page: Path) -> str:
        printed = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(printed):
            exec(compile(code, str(page), "exec"), self.names)
        return printed.getvalue()

    def serve(self, command: str, ready_url: str) -> None:
        """Start a command that stays, and wait until it answers."""
        path = self.folder / f"serve-{len(self.served)}.log"
        with path.open("wb") as log:
            words = ["bash", "-c", f"exec env {command}"]
            process = subprocess.Popen(words, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        self.served.append(process)
        deadline = time.monotonic() + 240.0
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(ready_url).status_code == 200:
                    return
            assert process.poll() is None, f"{command} ended: {path.read_text()}"
            assert time.monotonic() < deadline, f"{command} was not ready in time: {path.read_text()}"
            time.sleep(0.1)

    @staticmethod
    def compare(printed: str, expected: str, page: Path) -> None:
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        shown = "\n".join(line.rstrip() for line in printed.splitlines()) + "\n"
        assert doctest.OutputChecker().check_output(expected, shown, flags), (
            f"{page.name} says\n{expected}\nand it prints\n{shown}"
        )

    def close(self) -> None:
        for client in self.names.values():
            if isinstance(client, Client):
                client.close()
        for process in self.served:
            process.terminate()
        for process in self.served:
            process.wait(timeout=60)


@contextlib.contextmanager
def reader_in(folder: Path) -> Iterator[Reader]:
    """A reader whose services end with the block."""
    folder.mkdir()
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    reader = Reader(folder)
    try:
        yield reader
    finally:
        reader.close()
