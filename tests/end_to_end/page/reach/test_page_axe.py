"""axe-core finds nothing in any state of the page, at both widths and in both schemes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.end_to_end.page.reach.states import states
from tests.end_to_end.page.user import User

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenContext, OpenUser
    from tests.end_to_end.page.user import Recorder

AXE = Path(__file__).resolve().parents[3] / "page_code" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary: why }) => `${id}: ${html.slice(0, 160)} ${why}`))"""

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}


@pytest.mark.skipif(not AXE.exists(), reason="`make check-page` installs axe-core")
@pytest.mark.timeout(400)  # twenty states
@pytest.mark.parametrize(("window", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_axe_finds_nothing(
    open_context: OpenContext, recorder: Recorder, adaptable_url: str, window: dict[str, Any], scheme: str
) -> None:
    user = User(open_context(base_url=adaptable_url, color_scheme=scheme, **window).new_page(), recorder)
    user.page.add_init_script(path=AXE)
    user.open()
    found = [f"{state}: {what}" for state in states(user) for what in user.page.evaluate(RUN)]
    assert not found, "\n".join(found)


def test_long_facts_are_reached_and_named(open_user: OpenUser) -> None:
    user = open_user("/?like=round%2Feyes.png", viewport={"width": 800, "height": 420})
    user.page.locator(".card").first.click()
    facts = user.page.get_by_role("region", name="About this photo")
    expect(facts).to_contain_text(re.compile("256 . 256 px"))
    for _ in range(8):
        user.page.keyboard.press("Tab")
        if facts.evaluate("one => one === document.activeElement"):
            break
    expect(facts).to_be_focused()
    user.page.keyboard.press("ArrowDown")
    user.page.wait_for_function("() => document.querySelector('#photo-facts-region').scrollTop > 0")
    assert user.page.get_by_text("Result 1 of").is_visible()


def test_after_an_example_the_focus_is_at_the_results(open_user: OpenUser) -> None:
    user = open_user()
    examples = user.page.get_by_role("group", name="Example drawings").get_by_role("button")
    examples.first.focus()
    user.page.keyboard.press("Enter")
    expect(user.page.locator("#results")).to_be_focused()
    user.page.keyboard.press("Tab")  # goes on from there, and not from the top of the page
    assert user.page.evaluate("document.querySelector('#results').contains(document.activeElement)")
