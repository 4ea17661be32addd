"""Builds the documentation site from the repository's pages (`make site`), and fails where a link leads nowhere.

    python -m docs.site.build var/site

The site lies in `var/site/html` and needs no server and no network: `index.html` opens from the disk.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from docs.site.check import faults_of
from docs.site.diagrams import drawn
from docs.site.home import home
from docs.site.operations import operations_page
from docs.site.places import SHOWN_AS_TEXT, links_of, place_of, placed
from service.app import create_app
from service.config import load_settings

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
HIGHLIGHTED = {".py": "python", ".ts": "typescript", ".js": "javascript", ".yml": "yaml", ".kt": "kotlin", "": "text"}


def build(target: Path) -> list[str]:
    """Write the site's source to `target/source` and the site to `target/html`; returns what is wrong with them."""
    shutil.rmtree(target, ignore_errors=True)
    source = target / "source"
    shutil.copytree(HERE / "assets", source / "assets")
    shutil.copy(ROOT / "service" / "page" / "images" / "logo.svg", source / "assets")
    shutil.copy(HERE / "zensical.toml", target)
    document = create_app(load_settings({}, index=Path("nowhere"))).openapi()
    (source / "reference").mkdir()
    (source / "reference" / "http.md").write_text(operations_page(document), encoding="utf-8")
    (source / "reference" / "openapi.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    gather(source)
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--config-file", "zensical.toml"]
    done = subprocess.run(command, cwd=target, capture_output=True, text=True, check=False)
    if done.returncode:
        return [re.sub(r"\x1b\[[\d;]*m", "", (done.stdout + done.stderr).partition("Traceback")[0])]
    return list(faults_of(target / "html"))


def gather(source: Path) -> None:
    """Write every page of `docs`, the README, and what they link to, from page to page, as the site has it."""
    waiting = ["README.md", *(str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").rglob("*.md")))]
    known = {*waiting, "docs/reference/http.md"}
    while waiting:
        path = waiting.pop()
        place = source / place_of(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith((".md", ".ipynb")):
            text = (ROOT / path).read_text(encoding="utf-8")
            text = home(text) if path == "README.md" else text
            text = _notebook(text) if path.endswith(".ipynb") else text
            linked = {link for link in links_of(text, path) if (ROOT / link).exists()}
            text = placed(text, path, lambda named: (ROOT / named).exists() or named == "docs/reference/http.md")
            pictures: dict[str, str] = {}
            text = drawn(text, place.stem, pictures.__setitem__)
            for name, svg in pictures.items():
                _write(place.with_name(name), svg)
            _write(place, text)
            waiting += sorted(linked - known)
            known |= linked
        elif (ROOT / path).is_dir():
            _write(place, _listing(ROOT / path))
            for file in _texts(ROOT / path):
                shutil.copy(file, _made(source / path / file.name))
        elif place.suffix == ".md" and Path(path).suffix in SHOWN_AS_TEXT:
            language = HIGHLIGHTED.get(Path(path).suffix, Path(path).suffix[1:])
            _write(place, f"# {path}\n\n``````{language}\n{(ROOT / path).read_text(encoding='utf-8')}\n``````\n")
        else:
            shutil.copy(ROOT / path, place)


def _notebook(text: str) -> str:
    """A notebook without outputs as a page."""
    cells = ((cell["cell_type"], "".join(cell["source"])) for cell in json.loads(text)["cells"])
    return "\n\n".join(source if kind == "markdown" else f"```python\n{source}\n```" for kind, source in cells)


def _texts(folder: Path) -> list[Path]:
    """The files of a linked folder that a browser shows, such as licences."""
    return sorted(file for file in folder.iterdir() if file.suffix in (".txt", ".json"))


def _listing(folder: Path) -> str:
    shown = {file.name for file in _texts(folder)}
    names = sorted(file.name for file in folder.iterdir() if not file.name.startswith(("_", ".")))
    lines = (f"- [{name}]({folder.name}/{name})" if name in shown else f"- `{name}`" for name in names)
    return "\n".join([f"# {folder.relative_to(ROOT)}", "", *lines, ""])


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: Path, text: str) -> None:
    _made(path).write_text(text, encoding="utf-8")


def main() -> int:
    """Build into the folder that the command names, and say what is wrong or how large and how fast it became."""
    target = Path(sys.argv[1]).resolve()
    started = time.monotonic()
    faults = build(target)
    for fault in faults:
        print(fault, file=sys.stderr)
    files = [file for file in (target / "html").rglob("*") if file.is_file()]
    size_mb = sum(file.stat().st_size for file in files) / 1e6
    pages = sum(file.suffix == ".html" for file in files)
    print(f"{pages} pages, {size_mb:.1f} MB, {time.monotonic() - started:.1f} s: {target / 'html' / 'index.html'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
