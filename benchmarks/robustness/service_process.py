"""A real service of this repository as a process of its own, and galleries for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from index_builder.build import BuildRequest, build_index
from models.bundle import bundle_path
from service.http.schemas.base import EXAMPLE_OTHER_PHOTO_ID, EXAMPLE_PHOTO_ID

ROOT = Path(__file__).resolve().parents[2]
PHOTO_IDS = (EXAMPLE_PHOTO_ID, EXAMPLE_OTHER_PHOTO_ID, *(f"clothing/{number}.png" for number in range(4)))
"""Those that the documentation's examples name, and a few more of their category."""
_START_S = 120.0


@dataclass(frozen=True)
class Running:
    """A service that answers at `url`; `pid` is that of its first process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Of the first process."""
        return self.process.pid

    def pids(self) -> list[int]:
        """It and all processes below it."""
        found, at = [self.pid], 0
        while at < len(found):
            try:
                text = Path(f"/proc/{found[at]}/task/{found[at]}/children").read_text()
            except OSError:
                text = ""
            found += map(int, text.split())
            at += 1
        return found


def picture(number: int) -> Image.Image:
    """A drawing of its own for each number."""
    image = Image.new("RGB", (256, 256), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((20 + 9 * number, 30, 236 - 5 * number, 220 - 14 * number), outline="black", width=4)
    pen.line((20, 236 - 20 * number, 236, 20 + 17 * number), fill="black", width=4)
    return image


def build_gallery(folder: Path, bundle: str) -> Path:
    """Six pictures in the category `clothing`; the index that `bundle` made of them."""
    photos = folder / "photos"
    (photos / "clothing").mkdir(parents=True)
    for number, photo_id in enumerate(PHOTO_IDS):
        picture(number).save(photos / photo_id)
    lines = "".join(f"{photo_id},clothing,{number}\n" for number, photo_id in enumerate(PHOTO_IDS))
    (photos / "photos.csv").write_text("photo_path,category,price\n" + lines)
    build_index(BuildRequest(photos=photos / "photos.csv", out=folder / "index", bundle=bundle_path(bundle)))
    return folder / "index"


@contextmanager
def running(index: Path, bundle: str, folder: Path, **environment: str) -> Iterator[Running]:
    """`inkseek serve` in one process on a free port, until the block is left. Log and store lie in `folder`."""
    log = folder / "service.log"
    command = [sys.executable, "-m", "inkseek", "serve", "--port", "0", "--index", str(index), "--bundle", bundle]
    command += ["--workers", "1"]  # whose memory and CPU time are measured
    with log.open("ab") as out:
        began = out.tell()
        process = subprocess.Popen(
            [*command, "--online-dir", str(folder / "online")], cwd=ROOT, stdout=out, stderr=out, env=_with(environment)
        )
    try:
        yield Running(_address(process, log, began), process, log)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _with(changes: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("INKSEEK_")} | changes


def _address(process: subprocess.Popen[bytes], log: Path, began: int) -> str:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        text = log.read_bytes()[began:].decode(errors="replace")
        if found := re.search(r'Draw at (http://[^\s"]+?)/?[\s"]', text):
            return found[1]
        time.sleep(0.02)
    raise SystemExit(f"the service did not start: see {log}")
