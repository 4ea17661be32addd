"""Install the wheels of a folder into an environment of its own, start the demo, send one sketch; print the seconds.

usage: first_answer.py DIST SKETCH

The environment, pip's cache aside, and the demo's index are removed afterwards. The index of packages that pip is
configured for has to answer.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import venv
from pathlib import Path
from tempfile import TemporaryDirectory


def main(dist: Path, sketch: Path) -> None:
    """One line of JSON with the seconds of each step, and the photo that was found."""
    with TemporaryDirectory() as folder:
        venv.create(Path(folder) / "venv", with_pip=True)
        binaries = Path(folder) / "venv" / "bin"
        seconds: dict[str, float] = {}
        start = time.monotonic()
        install = [str(binaries / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *sorted(str(wheel) for wheel in dist.glob("*.whl"))], check=True)
        seconds["install"] = time.monotonic() - start
        left = {name: value for name, value in os.environ.items() if not name.startswith(("INKSEEK_", "PYTHONPATH"))}
        demo = subprocess.Popen(
            [binaries / "inkseek", "demo", "--port", "0"],
            cwd=folder,
            env=left | {"HOME": folder, "XDG_DATA_HOME": ""},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            found = answer(demo, sketch)
            seconds["first_answer"] = time.monotonic() - start
        finally:
            demo.terminate()
            demo.wait(60)
    print(json.dumps({"found": found, "seconds": {name: round(value, 1) for name, value in seconds.items()}}))


def answer(demo: subprocess.Popen[str], sketch: Path) -> str:
    """The id of the best photo."""
    assert demo.stderr is not None
    for line in demo.stderr:
        sys.stderr.write(line)
        if announced := re.search(r"Draw at (http://\S+)", line):
            request = urllib.request.Request(f"{announced[1]}v1/search", data=sketch.read_bytes())
            with urllib.request.urlopen(request, timeout=60) as response:
                best: str = json.load(response)["results"][0]["photo_id"]
                return best
    sys.exit("the demo did not start")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
