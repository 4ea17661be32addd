"""The page in German: chosen by the browser, switched by a link, and without a word of English."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from service.http.routes.page import PAGE
from service.page_build.texts import load_texts
from tests.end_to_end.page.conftest import no_errors
from tests.end_to_end.page.reach.states import states
from tests.end_to_end.page.user import User

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenContext, OpenUser
    from tests.end_to_end.page.user import Recorder

TEXTS = load_texts(PAGE / "texts")

# What can be read or heard: texts, and the attributes that browsers and screen readers say.
SAID = """() => {
  const said = [];
  const hidden = "script, style, svg, template, [hidden], dialog:not([open])";
  for (const one of document.querySelectorAll("body, body *")) {
    if (one.closest(hidden) && !one.matches("dialog[open], dialog[open] *:not([hidden], [hidden] *)")) continue;
    for (const node of one.childNodes) if (node.nodeType === 3) said.push(node.data);
    for (const name of ["aria-label", "title", "alt", "placeholder", "aria-valuetext"]) {
      if (one.hasAttribute(name)) said.push(one.getAttribute(name));
    }
  }
  return [...new Set(said.map((text) => text.trim()).filter(Boolean))];
}"""


def words(text: str) -> str:
    """A text with its places open, as a pattern."""
    return "".join(".+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", text.strip()))


def english_only() -> list[re.Pattern[str]]:
    """The English texts, but for those that German has alike, and those that are nothing but places."""
    german, english = TEXTS["de"], TEXTS["en"]
    found = []
    for own, other in ((english.page, german.page), (english.script, german.script)):
        for key, text in own.items():
            if text == other[key]:
                continue
            forms = [text] if isinstance(text, str) else list(text.values())
            found += [
                re.compile(words(form)) for form in forms if re.search(r"[A-Za-z]{2}", re.sub(r"\{\w+\}", "", form))
            ]
    return found


def pages_in_german(open_context: OpenContext, recorder: Recorder, url: str) -> User:
    page = open_context(base_url=url, locale="de-AT").new_page()
    page.goto("/")
    expect(page.locator("#gallery-size")).to_have_text("10 Fotos")
    return User(page, recorder)


@pytest.mark.timeout(400)  # twenty states
def test_the_german_page_has_no_english_left(open_context: OpenContext, recorder: Recorder, adaptable_url: str) -> None:
    user = pages_in_german(open_context, recorder, adaptable_url)
    patterns = english_only()
    german = [
        form for text in TEXTS["de"].script.values() for form in ([text] if isinstance(text, str) else text.values())
    ]
    with no_errors(user.page):
        for state in states(user):
            said: list[str] = user.page.evaluate(SAID)
            assert len(said) > 40
            # The other language is named in itself. A short English text may be a German one, too.
            left = [text for text in said if text != "English" and any(one.fullmatch(text) for one in patterns)]
            assert [text for text in left if text not in german] == [], state
            assert "Detail of the service." not in said, state


def test_a_link_switches_and_is_remembered(open_user: OpenUser) -> None:
    user = open_user("/?category=lines")
    page: Page = user.page
    user.draw_shape("plus")
    user.expect_best("plus")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("link", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    user.expect_best("plus")  # drawing and search are as they were
    expect(page.get_by_role("img", name="Zeichenfläche, 2 Striche")).to_be_visible()
    assert page.url.endswith("/?category=lines")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto("/?lang=en")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_without_cookies_the_address_says_the_language(open_context: OpenContext, recorder: Recorder) -> None:
    user = User(open_context().new_page(), recorder)
    user.page.add_init_script("Object.defineProperty(document, 'cookie', { get: () => '', set: () => {} })")
    user.open()
    user.page.get_by_role("link", name="Deutsch").click()
    expect(user.page.locator("html")).to_have_attribute("lang", "de")
    assert user.page.url.endswith("/?lang=de")


def test_numbers_are_written_as_the_language_does(
    open_context: OpenContext, recorder: Recorder, service_url: str
) -> None:
    user: Any = pages_in_german(open_context, recorder, service_url)
    user.draw_shape("triangle")
    user.expect_best("triangle")
    expect(user.page.locator(".card-score").first).to_have_text(re.compile(r"^[01],\d\d$"))
