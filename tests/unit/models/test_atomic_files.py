"""Files appear atomically: whatever fails, a reader sees the old content or the new one, and nothing is left over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from models import atomic_files


def test_content_is_replaced_and_nothing_is_left_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"", b"first", b"\0" * 100_000, b"last"):
        atomic_files.write_bytes(path, content)
        assert path.read_bytes() == content
        assert list(tmp_path.iterdir()) == [path]
    atomic_files.write_text(path, "grün")
    assert path.read_bytes() == "grün".encode()
    atomic_files.write_json(path, {"a": [1, None], "b": "x"})
    assert json.loads(path.read_text()) == {"a": [1, None], "b": "x"}
    assert path.read_text().endswith("\n")


@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt(), ValueError("a mistake")])
def test_an_error_while_writing_leaves_the_old_content(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write(file: BinaryIO) -> None:
        file.write(b"half of the new")
        file.flush()
        raise error

    with pytest.raises(type(error)):
        atomic_files.replace_file(path, write)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_json_cannot_hold_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    atomic_files.write_json(path, 1)
    with pytest.raises(TypeError):
        atomic_files.write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == 1


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic_files.write_bytes(tmp_path / "absent" / "file", b"x")
    with pytest.raises(FileNotFoundError):
        atomic_files.sync_path(tmp_path / "absent")
    atomic_files.sync_path(tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
from models import atomic_files

def write(file):
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

atomic_files.replace_file(Path(sys.argv[1]), write)
"""


def test_a_process_killed_while_writing_leaves_the_old_content_and_the_next_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    atomic_files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
