"""The documentation site: where pages and links go, what its checks find, and that its navigation names every page."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs.site.check import faults_of
from docs.site.diagrams import drawn
from docs.site.home import WAYS_IN, home
from docs.site.operations import operations_page
from docs.site.places import links_of, place_of, placed
from service.app import create_app
from service.config import load_settings

ROOT = Path(__file__).resolve().parents[3]
NAV = tomllib.loads((ROOT / "docs" / "site" / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
MADE = {"docs/reference/http.md"}


def pages_in(nav: Any) -> Iterator[str]:
    for entry in nav if isinstance(nav, list) else nav.values():
        yield from [entry] if isinstance(entry, str) else pages_in(entry)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("README.md", "index.md"),
        ("docs/howto/train.md", "howto/train.md"),
        ("docs/images/page_desktop.png", "images/page_desktop.png"),
        ("docker/README.md", "docker/index.md"),
        ("benchmarks/indexing/rate.py", "benchmarks/indexing/rate.py.md"),
        ("LICENSE", "LICENSE.md"),
        (".github/workflows/release.yml", "github/workflows/release.yml.md"),
        ("examples/LICENCES", "examples/LICENCES.md"),
        ("examples/sketches/manifest.csv", "examples/sketches/manifest.csv"),
    ],
)
def test_places(path: str, place: str) -> None:
    assert place_of(path) == place


def test_links_lead_to_the_same_thing_in_the_site() -> None:
    text = "[a](../../docker/README.md#b) [c](train.md) [d](https://x.org/y.md) [e](#f) ![g](../images/h.png) "
    text += "[i](gone.md)\n"
    code = "```python\nprint(names[0](../../docker/README.md))\n```\n"
    page = "docs/howto/adapt.md"
    known = {"docker/README.md", "docs/howto/train.md", "docs/images/h.png"}
    assert set(links_of(text + code, page)) == {*known, "docs/howto/gone.md"}
    moved = placed(text + code, page, known.__contains__)
    assert "[a](../docker/index.md#b) [c](train.md) [d](https://x.org/y.md) [e](#f) ![g](../images/h.png)" in moved
    assert code in moved
    assert placed('<img src="service/logo.svg">', "README.md", lambda _: True) == '<img src="service/logo.svg">'


def test_the_home_page_is_the_readme_with_ways_in() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    page = home(readme)
    assert readme.partition("\n\n")[2].partition("\n\n")[2].strip() in page
    assert all((ROOT / path).is_file() or path in MADE for _, path, _ in WAYS_IN)
    with pytest.raises(ValueError, match="the logo"):
        home("# Inkseek\n")


def test_the_navigation_names_every_page_of_docs() -> None:
    named = list(pages_in(NAV))
    assert len(named) == len(set(named))
    pages = {place_of(str(page.relative_to(ROOT))) for page in (ROOT / "docs").rglob("*.md")}
    assert pages <= set(named)


def test_diagrams_become_pictures_of_both_schemes() -> None:
    pytest.importorskip("merman")  # has no wheel for every machine
    kept: dict[str, str] = {}
    page = drawn("before\n\n```mermaid\nflowchart LR\n  a[one] --> b[two]\n```\n\nbehind\n", "page", kept.__setitem__)
    assert sorted(kept) == ["page_1_dark.svg", "page_1_light.svg"]
    assert all(svg.startswith("<svg") and "one" in svg and "two" in svg for svg in kept.values())
    assert "mermaid" not in page
    assert page.count("page_1_light.svg#only-light") == page.count("page_1_dark.svg#only-dark") == 1
    assert page.startswith("before") and page.endswith("behind\n")


def test_every_operation_is_in_the_page_of_operations() -> None:
    document = create_app(load_settings({}, index=Path("nowhere"))).openapi()
    page = operations_page(document)
    for path, methods in document["paths"].items():
        for method in methods:
            shown = f"`{method.upper()} {path}`" in page
            assert shown != path.startswith("/v1/galleries/{gallery}/")
    assert page.count("```json") == page.count("??? example") > 30


def test_what_is_wrong_with_a_site_is_found(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text('<h1 id="there">x</h1>')
    (tmp_path / "index.html").write_text(
        '<a href="folder/#there">ok</a><a href="folder/index.html#not">1</a><a href="gone.html">2</a>'
        '<script src="https://cdn.example/x.js"></script><link rel="stylesheet" href="//cdn.example/x.css">'
        '<a href="https://example.org">ok</a><a href="#nowhere">5</a><img src="gone.png">'
    )
    (tmp_path / "style.css").write_text("b { background: url(https://cdn.example/a.png) } p { background: url(b.png) }")
    assert list(faults_of(tmp_path)) == [
        "index.html loads https://cdn.example/x.js",
        "index.html loads //cdn.example/x.css",
        "index.html links to folder/index.html#not, which has no such anchor",
        "index.html links to gone.html, which does not exist",
        "index.html links to #nowhere, which has no such anchor",
        "index.html links to gone.png, which does not exist",
        "style.css loads https://cdn.example/a.png",
    ]
