"""The notebook runs from its first cell to its last, and is kept without outputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOK = ROOT / "examples" / "notebooks" / "train_evaluate_serve.ipynb"


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_it_is_kept_without_outputs() -> None:
    cells = code_cells(NOTEBOOK)
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


@pytest.mark.timeout(1200)  # ten commands, of which each imports for seconds on a busy machine
def test_it_runs(tmp_path: Path) -> None:
    # In a process of its own: nbclient leaves its kernel's sockets open.
    execute = [
        sys.executable,
        "-c",
        "from nbclient.cli import main; main()",
        str(NOTEBOOK),
        f"--output={tmp_path / 'done'}",
    ]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT / "clients" / "python"),
        "TMPDIR": str(tmp_path),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    limits = ["--timeout=900", "--startup_timeout=600"]
    done = subprocess.run(
        [*execute, *limits], env=environment, capture_output=True, text=True, timeout=1100, check=False
    )
    assert done.returncode == 0, done.stderr
    outputs = [output for cell in code_cells(tmp_path / "done.ipynb") for output in cell["outputs"]]
    said = "".join("".join(output.get("text", "")) for output in outputs)
    assert "22 sketches of 21 photos" in said
    assert "bundle  acc@1" in said and "small   acc@1  86 %" in said
    assert "ready" in said
    assert "['photo-mug.jpg'" in said
