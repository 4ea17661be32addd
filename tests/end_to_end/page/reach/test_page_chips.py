"""The chips above the results: categories that the answer votes for, what is chosen, and how it is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect

if TYPE_CHECKING:
    from tests.end_to_end.page.user import User


def chips(page: Page) -> Locator:
    """Those of categories; photos that look the same can be grouped whatever was found."""
    every = page.get_by_role("group", name="Narrow the search").get_by_role("button")
    return every.filter(has_not_text="Group look-alikes")


def test_a_tap_on_a_category_narrows_the_search_to_it(user: User) -> None:
    page = user.page
    user.draw_shape("circle")
    user.expect_best("circle")
    user.wait_for_answer()  # of the whole drawing, not of a draft of it
    found = page.request.post("/v1/search?k=24", data=user.recorder.last_sketch).json()["results"]
    votes: dict[str, float] = {}
    for index, hit in enumerate(found):
        category: str = hit["category"]
        votes[category] = votes.get(category, 0) + 6 / (6 + index)
    ranked: list[str] = sorted(votes, key=lambda one: votes[one], reverse=True)
    expect(chips(page)).to_have_text(ranked)

    # By kind and lines, as among everything: within it, lines alone would be compared.
    search = user.sent_by(chips(page).filter(has_text="lines").click)
    assert search.url.endswith("?k=24&category=lines&focus=balanced")
    expect(page.locator(".card")).to_have_count(3)
    expect(chips(page)).to_have_text(["lines", "By lines alone"])
    expect(page.get_by_role("button", name="Categories:")).to_contain_text("lines")
    expect(page.get_by_text("Why are the scores different now?")).to_be_hidden()
    assert page.url.endswith("/?category=lines&focus=balanced")

    alone = page.get_by_role("button", name="By lines alone")
    expect(alone).to_have_attribute("aria-pressed", "false")
    assert user.sent_by(alone.click).url.endswith("?k=24&category=lines")
    expect(alone).to_have_attribute("aria-pressed", "true")
    question = page.get_by_text("Why are the scores different now?")
    question.click()
    expect(page.get_by_text("the lines alone count")).to_be_visible()

    page.get_by_role("button", name="Remove lines from the search").click()
    expect(page.locator(".card")).to_have_count(user.photo_count)
    expect(question).to_be_hidden()
    assert page.url.endswith("/")


def test_one_category_alone_is_no_choice(user: User) -> None:
    user.page.goto("/?k=1")
    user.draw_shape("circle")
    user.expect_best("circle")
    expect(chips(user.page)).to_have_count(0)
