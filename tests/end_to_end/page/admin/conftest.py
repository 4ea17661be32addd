"""A service with keys, and the admin page of it in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from service.access.key_file import add_key
from service.access.keys import make_key
from service.access.principal import Access
from service.app import create_app
from service.config import Settings
from tests.end_to_end.page.conftest import no_errors, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end.page.conftest import OpenContext


@pytest.fixture
def locked(index_dir: Path, adaptive_bundle_dir: Path, tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a service with keys, and a key that may search, one that may only read metrics, one for all."""
    settings = Settings(index=index_dir, bundle=adaptive_bundle_dir, online_dir=tmp_path / "locked", threads=1)
    scopes: dict[str, tuple[Access, ...]] = {
        "searching": ("search",),
        "monitoring": ("admin",),
        "all": ("search", "adapt", "write", "admin"),
    }
    made = {name: make_key(name, granted) for name, granted in scopes.items()}
    for new in made.values():
        add_key(settings.key_path, new.key)
    with serving(create_app(settings)) as url:
        yield url, {name: new.token for name, new in made.items()}


@pytest.fixture
def open_admin(open_context: OpenContext) -> Iterator[Callable[..., Page]]:
    """Opens the page; an error in its console, of the content policy say, fails the test."""
    guards = []

    def open_page(url: str, address: str = "/admin", **options: Any) -> Page:
        page = open_context(base_url=url, **options).new_page()
        guards.append(no_errors(page))
        guards[-1].__enter__()
        page.goto(address)
        return page

    yield open_page
    for guard in guards:
        guard.__exit__(None, None, None)


def panel(page: Page, name: str) -> Any:
    return page.get_by_role("region", name=name, exact=True)


def with_key(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog", name="API key")
    expect(dialog).to_be_visible()
    with page.expect_navigation():
        dialog.get_by_label("The key that you were given").fill(key)
        page.keyboard.press("Enter")
