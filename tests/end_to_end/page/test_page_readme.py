"""The README's example of the API, as someone types it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")


def test_the_example_answers_five_ranked_photos(service_url: str) -> None:
    [code] = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert "http://127.0.0.1:8000" in code
    program = code.replace("http://127.0.0.1:8000", service_url)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    rows = [line.split(maxsplit=2) for line in ran.stdout.splitlines()]
    assert [rank for rank, _, _ in rows] == ["1", "2", "3", "4", "5"]
    scores = [float(score) for _, score, _ in rows]
    assert scores == sorted(scores, reverse=True)
