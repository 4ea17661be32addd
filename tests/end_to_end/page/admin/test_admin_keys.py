"""The panel of keys: made with what the page's own key grants, shown once, listed with their limits, revoked."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import httpx
from playwright.sync_api import Page, expect

from tests.contract.waiting import until
from tests.end_to_end.page.admin.conftest import panel

if TYPE_CHECKING:
    from collections.abc import Callable

get, post = partial(httpx.get, timeout=60), partial(httpx.post, timeout=60)


def opened(open_admin: Callable[..., Page], url: str, key: str) -> Page:
    page = open_admin(url, "/docs")
    page.evaluate("key => localStorage.setItem('inkseek.api-key', key)", key)
    page.goto("/admin")
    return page


def test_a_key_is_made_shown_once_listed_and_revoked(
    open_admin: Callable[..., Page], locked: tuple[str, dict[str, str]]
) -> None:
    url, tokens = locked
    page = opened(open_admin, url, tokens["all"])
    keys = panel(page, "Keys and quotas")
    rows = keys.get_by_role("listitem")
    expect(rows).to_have_count(3)
    own = rows.filter(has_text="the key of this page")
    expect(own).to_contain_text("search, adapt, write, admin · all galleries")
    expect(own.get_by_role("button")).to_have_count(0)

    keys.get_by_label("Whom it is for").fill("Ada Lovelace")
    keys.get_by_label("Requests, else the service's limit").fill("7/day")
    keys.get_by_label("Expires").select_option(label="in 30 days")
    keys.get_by_role("checkbox", name="adapt").check()
    page.keyboard.press("Enter")
    secret = keys.get_by_role("group", name="The key of Ada Lovelace. It is shown this once: keep it now.").locator(
        "code"
    )
    expect(secret).to_have_text(re.compile("^inkseek_[0-9a-f]{12}_"))
    expect(secret).to_be_focused()
    token = secret.inner_text()
    expect(keys.get_by_label("Whom it is for")).to_have_value("")
    ada = rows.filter(has_text="Ada Lovelace")
    expect(ada).to_contain_text("search, adapt · all galleries")
    expect(ada).to_contain_text("no use known")
    [listed] = [key for key in listed_by(url, tokens["all"]) if key["name"] == "Ada Lovelace"]
    assert listed["rate_limit"] == "7/day"

    until(lambda: get(f"{url}/v1/info", headers={"x-api-key": token}).status_code == 200)
    meter = ada.get_by_role("meter", name="Requests")
    expect(meter).to_have_js_property("max", 7)
    expect(meter).to_have_js_property("value", 1, timeout=30_000)  # with the page's next look
    expect(ada).to_contain_text("1 of 7 in 1 day")
    page.reload()
    expect(rows).to_have_count(4)
    assert token not in page.content()


def test_a_key_is_revoked_with_the_second_press(
    open_admin: Callable[..., Page], locked: tuple[str, dict[str, str]]
) -> None:
    url, tokens = locked
    page = opened(open_admin, url, tokens["all"])
    keys = panel(page, "Keys and quotas")
    searching = keys.get_by_role("listitem").filter(has_text="searching")
    searching.get_by_role("button", name="Revoke the key of searching").click()
    searching.get_by_role("button", name="Really revoke the key of searching").click()
    expect(keys.get_by_text("The key of searching is revoked, for good.")).to_be_visible()
    expect(searching).to_contain_text("revoked")
    expect(searching.get_by_role("button")).to_have_count(0)
    until(lambda: get(f"{url}/v1/info", headers={"x-api-key": tokens["searching"]}).status_code == 401)


def listed_by(url: str, token: str) -> list[dict[str, object]]:
    keys: list[dict[str, object]] = get(f"{url}/v1/keys", headers={"x-api-key": token}).json()["keys"]
    return keys


def test_a_key_for_metrics_offers_no_other_scope(
    open_admin: Callable[..., Page], locked: tuple[str, dict[str, str]]
) -> None:
    url, tokens = locked
    page = opened(open_admin, url, tokens["monitoring"])
    keys = panel(page, "Keys and quotas")
    expect(keys.get_by_role("listitem")).to_have_count(3)
    for scope in ("search", "adapt", "write"):
        expect(keys.get_by_role("checkbox", name=scope)).to_be_disabled()
        expect(keys.get_by_role("checkbox", name=scope)).not_to_be_checked()
    keys.get_by_label("Whom it is for").fill("another")
    keys.get_by_role("checkbox", name="admin").check()
    keys.get_by_role("button", name="Make the key").click()
    expect(keys.get_by_role("listitem")).to_have_count(4)
    searching = keys.get_by_role("listitem").filter(has_text="searching")
    searching.get_by_role("button", name="Revoke the key of searching").click()
    searching.get_by_role("button", name="Really revoke the key of searching").click()
    expect(keys.get_by_role("status").filter(has_text="'search' is missing")).to_be_visible()
    assert all(key["state"] == "active" for key in listed_by(url, tokens["monitoring"]))


def test_without_keys_it_says_where_the_first_one_is_made(open_admin: Callable[..., Page], service_url: str) -> None:
    page = open_admin(service_url)
    keys = panel(page, "Keys and quotas")
    expect(keys.get_by_text("inkseek keys create NAME --index INDEX --scope admin")).to_be_visible()
    expect(keys.get_by_role("textbox")).to_have_count(0)
    expect(keys.get_by_role("listitem")).to_have_count(0)
