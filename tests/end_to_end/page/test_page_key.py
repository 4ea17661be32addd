"""The page of a service that asks for a key: it is asked for, kept, sent with pictures too, and forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import Page, expect

from service.access.key_file import add_key
from service.access.keys import make_key
from service.access.principal import Access
from service.app import create_app
from service.config import Settings
from tests.end_to_end.page.conftest import serving
from tests.end_to_end.page.user import Recorder, User

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenContext, OpenUser


@pytest.fixture
def locked(index_dir: Path, adaptive_bundle_dir: Path, tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a service with keys, and a key for searching, and others for adapting or writing as well."""
    settings = Settings(
        index=index_dir, bundle=adaptive_bundle_dir, online_dir=tmp_path / "online", threads=1, feedback=True
    )
    granted: dict[str, tuple[Access, ...]] = {
        "searching": ("search",),
        "adapting": ("search", "adapt"),
        "writing": ("search", "write"),
    }
    made = {name: make_key(name, scopes) for name, scopes in granted.items()}
    for new in made.values():
        add_key(settings.key_path, new.key)
    with serving(create_app(settings)) as url:
        yield url, {name: new.token for name, new in made.items()}


@pytest.fixture
def visitor(open_context: OpenContext, recorder: Recorder, locked: tuple[str, dict[str, str]]) -> User:
    """A user on the page who has no key yet."""
    page = open_context(base_url=locked[0]).new_page()
    page.goto("/")
    return User(page, recorder)


def enter(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog", name="API key")
    expect(dialog).to_be_visible()
    with page.expect_navigation():
        dialog.get_by_label("The key that you were given").fill(key)
        page.keyboard.press("Enter")


def test_a_key_opens_the_page_until_it_is_forgotten(visitor: User, locked: tuple[str, dict[str, str]]) -> None:
    page, keys = visitor.page, locked[1]
    expect(page.get_by_text("This service needs an API key.")).to_be_visible()
    enter(page, "inkseek_0123456789ab_" + "x" * 43)
    expect(page.get_by_text("The kept key does not work: this key is unknown.")).to_be_visible()

    enter(page, keys["searching"])
    expect(page.get_by_role("dialog", name="API key")).to_be_hidden()
    page.get_by_role("button", name="API key").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Forget the key").click()
    expect(page.get_by_text("This service needs an API key.")).to_be_visible()
    assert page.evaluate("() => localStorage.getItem('inkseek.api-key')") is None


def test_pictures_come_with_the_key(visitor: User, locked: tuple[str, dict[str, str]]) -> None:
    user, page, keys = visitor, visitor.page, locked[1]
    secrets: list[str] = []
    page.on("request", lambda request: secrets.append(request.url) if keys["searching"] in request.url else None)
    enter(page, keys["searching"])
    expect(page.get_by_role("dialog", name="API key")).to_be_hidden()
    user.draw_shape("circle")
    user.expect_best("circle")
    # Pictures come with the key, and are shown from memory.
    card = page.locator(".card-image").first
    expect(card).to_have_class("card-image is-loaded")
    assert str(card.get_attribute("src")).startswith("blob:")
    expect(page.get_by_role("button", name="Teach it")).to_be_hidden()

    page.get_by_role("button", name="1: circle").click()
    expect(page.get_by_role("button", name="This is it")).to_be_hidden()  # a key for searching gives no feedback
    large = page.locator("#photo-image")
    expect(page.locator("#photo-open")).to_have_attribute("href", re.compile("^blob:"))
    page.wait_for_function("image => image.naturalWidth === 256", arg=large.element_handle())
    with page.expect_download() as downloading:
        page.locator("#photo-download").click()
    assert downloading.value.suggested_filename == "circle.png"
    page.keyboard.press("Escape")
    page.wait_for_function("() => !history.state?.opened")  # the browser goes back, which a reload would race with

    page.reload()
    user.expect_best("circle")  # the drawing and the key are kept
    assert not secrets


def test_the_page_shows_what_the_key_may_do(visitor: User, locked: tuple[str, dict[str, str]]) -> None:
    enter(visitor.page, locked[1]["adapting"])
    expect(visitor.page.get_by_role("button", name="Teach it")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Jobs and versions")).to_be_hidden()


def test_who_may_write_sees_jobs_and_versions(visitor: User, locked: tuple[str, dict[str, str]]) -> None:
    url, keys = locked
    page, headers = visitor.page, {"X-API-Key": keys["writing"]}
    items = {"items": [{"photo_id": "nowhere.png", "delete": True}]}
    assert httpx.post(f"{url}/v1/photos:batch", json=items, headers=headers).status_code == 202
    enter(page, keys["writing"])
    page.get_by_role("button", name="Jobs and versions").click()
    dialog = page.get_by_role("dialog", name="Jobs and versions")
    jobs = dialog.get_by_role("list", name="Jobs and versions")
    expect(jobs.get_by_role("listitem")).to_have_text("Photos · done · 1 of 1 · 1 failed", timeout=30_000)
    versions = dialog.get_by_role("list", name="Versions of the index")
    expect(versions.get_by_role("listitem").first).to_contain_text("in service")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_closed_dialog_stays_closed(visitor: User) -> None:
    user = visitor
    dialog = user.page.get_by_role("dialog", name="API key")
    expect(dialog).to_be_visible()
    user.page.keyboard.press("Escape")
    user.draw_shape("circle")
    expect(user.page.get_by_text("An API key is needed")).to_be_visible()
    expect(dialog).to_be_hidden()
    user.page.get_by_role("button", name="API key").click()
    expect(dialog).to_be_visible()


def test_a_read_only_service_offers_no_adaptation(
    open_user: OpenUser, index_dir: Path, adaptive_bundle_dir: Path, tmp_path: Path
) -> None:
    settings = Settings(
        index=index_dir, bundle=adaptive_bundle_dir, online_dir=tmp_path / "online", threads=1, read_only=True
    )
    with serving(create_app(settings)) as url:
        user = open_user(base_url=url)
        user.draw_shape("circle")
        user.expect_best("circle")
        expect(user.page.get_by_role("button", name="Teach it")).to_be_hidden()
        expect(user.page.get_by_role("button", name="API key")).to_be_hidden()
