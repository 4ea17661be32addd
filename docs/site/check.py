"""Checks the built site: each link leads to a file and an anchor, and nothing is loaded from another site."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src")}
_STYLES = {"stylesheet", "icon", "preconnect", "preload", "dns-prefetch", "modulepreload"}


class _Page(HTMLParser):
    """The anchors, links and loaded addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        self.anchors |= {of[name] for name in ("id", "name") if name in of}
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        self.loaded += [of[name] for known, name in _LOADED if known == tag and name in of]
        if tag == "link" and _STYLES & set(of.get("rel", "").split()):
            self.loaded.append(of["href"])


def faults_of(site: Path) -> Iterator[str]:
    """What is wrong with the built site, one sentence each: dead links, missing anchors, addresses of other sites."""
    pages = {path: _parsed(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        for target in page.loaded:
            if urlsplit(target).netloc:
                yield f"{path.relative_to(site)} loads {target}"
        if path.name != "404.html":  # is shown for any address, and so has links from the root
            for target in [*page.links, *page.loaded]:
                if fault := _fault_of(target, path, pages):
                    yield f"{path.relative_to(site)} links to {target}, which {fault}"
    for path in sorted(site.rglob("*.css")):
        for address in re.findall(r"url\(['\"]?(https?:[^)'\"]*)", path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)} loads {address}"


def _fault_of(target: str, page: Path, pages: Mapping[Path, _Page]) -> str | None:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return None
    linked = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    linked = linked / "index.html" if linked.is_dir() else linked
    if not linked.exists():
        return "does not exist"
    lacks = parts.fragment and linked in pages and unquote(parts.fragment) not in pages[linked].anchors
    return "has no such anchor" if lacks else None


def _parsed(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page
