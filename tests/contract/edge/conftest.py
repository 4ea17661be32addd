"""`inkseek serve` as a process whose processor time and memory are measured, and raw connections to it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Served:
    """A running service. `log`: what it wrote so far."""

    port: int
    process: subprocess.Popen[str]
    log: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, timeout_s: float = 30.0) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=timeout_s)

    def connect(self, sent: bytes = b"", timeout_s: float = 20.0) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s)
        connection.sendall(sent)
        return connection

    def cpu_s(self) -> float:
        """Processor time of all its threads so far, and of its children that ended."""
        numbers = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, numbers[11:15])) / os.sysconf("SC_CLK_TCK")

    def unscheduled_s(self) -> float:
        """Time in which its event loop had something to do and the machine gave it no processor."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[1]) / 1e9

    def memory_mib(self, name: str = "VmRSS") -> float:
        """VmRSS: resident memory now; VmHWM: its peak since `forget_peak`."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
        assert found
        return int(found[1]) / 1024

    def expect_alive(self) -> None:
        """Nothing that a client sends ends it."""
        assert self.process.poll() is None, f"exit status {self.process.poll()}: {''.join(self.log)}"

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


Serve = Callable[..., AbstractContextManager[Served]]


@contextmanager
def started(options: list[str], environment: dict[str, str], files: int | None) -> Iterator[Served]:
    # The shell sets the limit and becomes the service: set from here, it could come after the service has read it.
    limited = [] if files is None else ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh"]
    process = subprocess.Popen(
        [*limited, sys.executable, "-m", "inkseek", "serve", "--port", "0", "--workers", "1", *options],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("INKSEEK_")} | environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    served = Served(0, process)
    announced = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            served.log.append(line)
            if found := re.search(r"Draw at http://\S+:(\d+)/", line):
                served.port = int(found[1])
                announced.set()
        announced.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        announced.wait(60)
        assert served.port, f"exit status {process.poll()}: {''.join(served.log)}"
        yield served
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join(10)
        process.stderr.close()


@pytest.fixture(scope="session")
def serve(index_dir: Path, tiny_bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    """Start a service of its own: `serve("--workers", "2", files=256, INKSEEK_DRAIN_S="1")`."""

    def make(*options: str, files: int | None = None, **environment: str) -> AbstractContextManager[Served]:
        online = tmp_path_factory.mktemp("online")
        folders = ["--index", str(index_dir), "--bundle", str(tiny_bundle_dir), "--online-dir", str(online)]
        return started([*folders, *options], environment, files)

    return make


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A whole request."""
    lines = [f"POST {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answered(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of one answer; (0, b"") where the connection was closed without one."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return 0, data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return int(head.split()[1]), body


def seconds(action: Callable[[], object]) -> float:
    before = time.monotonic()
    action()
    return time.monotonic() - before


@pytest.fixture(scope="session")
def raw_post() -> Callable[..., bytes]:
    return post


@pytest.fixture(scope="session")
def answer_of() -> Callable[[socket.socket], tuple[int, bytes]]:
    return answered
