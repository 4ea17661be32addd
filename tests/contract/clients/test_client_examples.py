"""The examples of the Python client's pages run as they stand, against a real service that has what they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from inkseek_client import Client
from tests.contract.clients.readme_files import PHOTO_IDS, SHOWN_URL, SKETCHES, blocks_of, write_pictures

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "clients" / "python" / "README.md", ROOT / "docs" / "howto" / "python_client.md"]


@pytest.fixture
def folder(tmp_path: Path, drawing: Callable[[str, int], Image.Image], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files that the examples name."""
    work = tmp_path / "work"
    write_pictures(work, drawing)
    monkeypatch.chdir(work)
    return work


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page: Path, url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = blocks_of(page, "python")
    assert blocks
    with Client(url) as client:
        for number, photo_id in enumerate(PHOTO_IDS):
            client.put_photo(photo_id, folder / SKETCHES[number % 6])
        # Blocks behind the first go on with its client, which its own `with` has closed.
        for block in blocks:
            names: dict[str, Any] = {"client": client, "__name__": "__main__"}
            exec(compile(block.replace(SHOWN_URL, url), str(page), "exec"), names)
    assert "mug/1.jpg" in capsys.readouterr().out
