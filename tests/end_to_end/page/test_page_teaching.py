"""Teaching in the page: drawings with the photos that were meant, the results, and the way back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Route, expect

from service.app import create_app
from service.config import Settings
from tests.end_to_end.page.conftest import no_errors, serving

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenUser
    from tests.end_to_end.page.user import User

# In the tiny bundle, examples that mean the other shape of a pair improve the ranks: leave-one-out, over "lines",
# goes from a mean of 1 / rank of 1/3 to 1/2. Of the other pairs it gets worse, from 1/2 to 1/3.
SWAPPED = {"cross": "plus", "plus": "cross"}
CONFUSED = {"cross": "stripes", "stripes": "plus"}


def collect(user: User, pairs: dict[str, str]) -> None:
    """Draws each shape and marks the photo that is meant by it."""
    for drawn, meant in pairs.items():
        if user.page.get_by_role("button", name="Clear the board").first.is_enabled():
            user.page.keyboard.press("Delete")
        user.draw_shape(drawn)
        user.wait_for_answer()
        mark = user.page.get_by_role("button", name=f"{meant} is what I drew", exact=True)
        mark.click()
        expect(mark).to_have_attribute("aria-pressed", "true")


def learn(user: User) -> None:
    user.page.get_by_role("button", name="Learn").click()


def adapters(user: User, kind: str, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = user.page.request.get(f"/v1/{kind}/{name}/adapters").json()
    return answer


def test_a_category_is_adapted_compared_and_undone(teacher: User) -> None:
    pairs = teacher.page.get_by_role("list", name="Collected pairs").get_by_role("listitem")
    collect(teacher, SWAPPED)
    expect(teacher.page.get_by_role("combobox", name="Category", exact=True)).to_have_value("lines")
    expect(teacher.page.locator(".card")).to_have_count(3)  # its photos are what a right answer is among
    teacher.page.reload()
    teacher.page.get_by_role("button", name="Teach it").click()
    expect(pairs).to_have_count(2)
    expect(pairs.first).to_contain_text("plus")

    learn(teacher)
    expect(teacher.page.get_by_role("heading", name="It has learned")).to_be_focused()
    figures = teacher.page.get_by_role("table").get_by_role("row")
    expect(figures).to_have_text(
        ["BeforeAfter", re.compile(r"Right photo first0 of 20 of 2"), "Its rank, on average3.02.0"]
    )
    expect(teacher.page.get_by_text("adapted", exact=True)).to_be_visible()
    [adapter] = adapters(teacher, "categories", "lines")["adapters"]
    assert adapter["state"] == "active"

    sketch = teacher.page.evaluate(SKETCH)
    for side, query in (("before", "&adapt=false"), ("after", "")):
        found = teacher.page.request.post(f"/v1/search?k=5&category=lines{query}", data=bytes(sketch)).json()["results"]
        names = teacher.page.locator(f".{side} .rank-name")
        expect(names).to_have_text([hit["metadata"]["name"] for hit in found])
    expect(teacher.page.locator(".after .is-right")).to_contain_text("crossWhat you meant")

    teacher.page.get_by_role("button", name="Undo", exact=True).last.click()
    expect(teacher.page.get_by_text("Undone: searches in “lines” are answered as before.")).to_be_focused()
    expect(teacher.page.get_by_text("adapted", exact=True)).to_be_hidden()
    assert adapters(teacher, "categories", "lines")["active"] is None


def test_an_adapter_that_would_be_worse_is_active_only_on_request(teacher: User) -> None:
    collect(teacher, CONFUSED)
    learn(teacher)
    expect(teacher.page.get_by_role("heading", name="Not active: it would be worse")).to_be_visible()
    expect(teacher.page.get_by_role("row", name="Its rank, on average")).to_contain_text("2.03.0")
    expect(teacher.page.get_by_text("adapted", exact=True)).to_be_hidden()
    teacher.page.get_by_role("button", name="Activate it anyway").click()
    expect(teacher.page.get_by_role("heading", name="Active, at your request")).to_be_visible()
    expect(teacher.page.get_by_text("adapted", exact=True)).to_be_visible()

    teacher.page.get_by_text("Versions: 1 is active").click()
    teacher.page.get_by_role("button", name="Delete version 1", exact=True).click()
    teacher.page.get_by_role("button", name="Really delete version 1").click()
    expect(teacher.page.get_by_text("Version 1 is deleted.")).to_be_visible()
    expect(teacher.page.get_by_text("Versions:")).to_be_hidden()
    expect(teacher.page.get_by_text("adapted", exact=True)).to_be_hidden()


def test_a_new_category_is_made_of_own_photos(teacher: User, shape_file: Callable[[str], Path]) -> None:
    files = [shape_file(name) for name in ("square", "triangle", "circle")]
    name = teacher.page.get_by_role("combobox", name="Category", exact=True)
    name.fill("Road signs")
    name.press("Enter")
    expect(teacher.page.get_by_text("Draw something, then add photos of it.")).to_be_visible()
    teacher.page.get_by_label("Own photos").set_input_files(files)
    pairs = teacher.page.get_by_role("list", name="Collected pairs").get_by_role("listitem")
    expect(pairs).to_have_count(3)
    expect(teacher.page.get_by_role("button", name="Learn")).to_be_disabled()
    for shape in ("square", "triangle"):
        teacher.page.keyboard.press("Delete")
        teacher.draw_shape(shape)
        teacher.page.get_by_role("button", name=f"I drew this: the drawing on the board is {shape}").click()
    expect(teacher.page.get_by_role("button", name="Learn")).to_contain_text("2 pairs")
    learn(teacher)

    expect(teacher.page.locator("#teach-verdict")).to_be_visible()
    expect(teacher.page.locator("#gallery-size")).to_have_text(f"{teacher.photo_count + 3} photos")
    expect(teacher.page.get_by_role("button", name="Categories:")).to_have_text("Categories:Road signs")
    expect(teacher.page.locator(".card")).to_have_count(3)
    expect(teacher.page.locator(".cell").first).to_have_class(re.compile("is-picked"))  # the drawn photo is found

    teacher.page.get_by_text("Versions:").click()
    teacher.page.get_by_role("button", name="Delete version 1", exact=True).click()
    teacher.page.get_by_role("button", name="Delete it and its 3 photos").click()
    expect(teacher.page.locator("#gallery-size")).to_have_text(f"{teacher.photo_count} photos")


def test_a_drawing_style_is_adapted_to_and_chosen(teacher: User) -> None:
    choice = teacher.page.get_by_role("combobox", name="Drawn by")
    expect(choice).to_be_hidden()
    teacher.page.get_by_text("A drawing style").click()
    teacher.page.get_by_role("combobox", name="Whose drawings").fill("Ada & co")
    collect(teacher, {"cross": "cross", "square": "square"})  # of two categories
    learn(teacher)
    expect(teacher.page.locator("#teach-verdict")).to_be_visible()
    if teacher.page.get_by_role("button", name="Activate it anyway").is_visible():
        teacher.page.get_by_role("button", name="Activate it anyway").click()
    expect(choice).to_have_value("Ada & co")
    assert adapters(teacher, "profiles", "Ada%20%26%20co")["active"]

    teacher.page.reload()
    expect(choice).to_have_value("Ada & co")
    expect(teacher.page.get_by_text("adapted", exact=True)).to_be_visible()
    assert teacher.sent_by(lambda: choice.select_option("Anyone")).url.endswith("/v1/search?k=24")
    assert teacher.sent_by(lambda: choice.select_option("Ada & co")).url.endswith("&profile=Ada%20%26%20co")


def test_pairs_that_cannot_be_used_are_named_and_marked(teacher: User) -> None:
    page, button = teacher.page, teacher.page.get_by_role("button", name="Learn")
    alert = page.get_by_role("alert").filter(visible=True)
    page.get_by_role("button", name="Categories:").click()
    page.get_by_role("option", name="lines").click()
    expect(page.get_by_role("combobox", name="Category", exact=True)).to_have_value("lines")
    collect(teacher, {"cross": "plus", "stripes": "plus"})
    button.click()
    expect(alert).to_contain_text("All sketches have the same photo")

    page.get_by_role("button", name="Categories:").click()
    page.get_by_role("option", name="All categories").click()
    collect(teacher, {"square": "square"})
    expect(alert).to_have_count(0)
    expect(page.locator(".pair.is-wrong")).to_have_text([re.compile("square.*In angular")])
    expect(button).to_be_disabled()
    page.get_by_role("button", name="Remove square").click()
    expect(page.get_by_role("button", name="Remove plus").last).to_be_focused()
    expect(button).to_be_enabled()


def test_a_bundle_without_adaptation_offers_no_teaching(user: User) -> None:
    user.draw_shape("circle")
    user.expect_best("circle")
    assert user.page.request.get("/v1/info").json()["adaptation_id"] is None
    expect(user.page.get_by_role("button", name="Teach it")).to_be_hidden()
    user.page.keyboard.press("t")
    expect(user.page.get_by_role("region", name="Teach it what you mean")).to_be_hidden()


SKETCH = """async () => {
  const { toPng } = await import("/page/js/drawing/export.js");
  const { loadDrawing } = await import("/page/js/session.js");
  return [...new Uint8Array(await (await toPng(await loadDrawing())).arrayBuffer())];
}"""


@pytest.fixture
def finder(index_dir: Path, adaptive_bundle_dir: Path, tmp_path: Path, open_user: OpenUser) -> Iterator[User]:
    """The page of a service that collects feedback, with a circle drawn and found."""
    settings = Settings(
        index=index_dir, bundle=adaptive_bundle_dir, online_dir=tmp_path / "online", threads=1, feedback=True
    )
    with serving(create_app(settings)) as url:
        user = open_user(base_url=url)
        with no_errors(user.page):
            user.draw_shape("circle")
            user.expect_best("circle")
            user.wait_for_answer()
            yield user


def feedback(user: User) -> list[str]:
    return [pair["photo_id"] for pair in user.page.request.get("/v1/feedback").json()["feedback"]]


def test_a_click_on_the_right_result_is_kept_and_undone(finder: User) -> None:
    finder.page.locator(".card").first.click()
    dialog = finder.page.locator("#photo-dialog")
    right, undo = (dialog.get_by_role("button", name=name, exact=True) for name in ("This is it", "undo"))
    thanks = dialog.get_by_text("Thank you, kept.")
    right.click()
    expect(thanks).to_be_visible()
    assert feedback(finder) == ["round/circle.png"]

    finder.page.get_by_role("button", name="Next photo").click()
    expect(right).to_be_visible()
    expect(thanks).to_be_hidden()
    finder.page.get_by_role("button", name="Previous photo").click()
    expect(thanks).to_be_visible()
    undo.click()
    expect(right).to_be_visible()
    expect(thanks).to_be_hidden()
    assert feedback(finder) == []

    # A drawing is an example of one photo.
    right.click()
    expect(undo).to_be_visible()
    finder.page.get_by_role("button", name="Next photo").click()
    finder.page.get_by_role("button", name="This is it").click()
    expect(finder.page.get_by_text("Thank you, kept.")).to_be_visible()
    [second] = feedback(finder)
    assert second != "round/circle.png"
    finder.page.get_by_role("button", name="Previous photo").click()
    expect(right).to_be_visible()


def test_feedback_that_cannot_be_kept_says_why(finder: User) -> None:
    def fail(route: Route) -> None:
        problem = {"title": "The online store is full", "detail": "512 MB are used.", "code": "online_full"}
        route.fulfill(status=507, json=problem, content_type="application/problem+json")

    finder.page.route("**/v1/feedback?*", fail)
    finder.page.locator(".card").first.click()
    finder.page.get_by_role("button", name="This is it").click()
    expect(finder.page.get_by_role("dialog").get_by_text("512 MB are used.")).to_be_visible()
    finder.page.unroute("**/v1/feedback?*", fail)
    finder.page.get_by_role("button", name="This is it").click()
    expect(finder.page.get_by_text("Thank you, kept.")).to_be_visible()
    expect(finder.page.get_by_text("512 MB are used.")).to_be_hidden()


def test_feedback_is_of_drawings_alone(finder: User) -> None:
    finder.page.locator(".card").first.click()
    right = finder.page.get_by_role("button", name="This is it")
    expect(right).to_be_visible()
    finder.page.get_by_role("button", name="More like this").click()
    expect(finder.page.get_by_role("navigation", name="Breadcrumb")).to_contain_text("circle")
    finder.wait_for_answer()
    finder.page.locator(".card").first.click()
    expect(finder.page.get_by_role("button", name="More like this")).to_be_visible()
    expect(right).to_be_hidden()


def test_no_feedback_is_asked_for_where_none_is_collected(teacher: User) -> None:
    teacher.page.locator("#teach-close").click()
    teacher.draw_shape("circle")
    teacher.expect_best("circle")
    teacher.page.locator(".card").first.click()
    expect(teacher.page.get_by_role("button", name="More like this")).to_be_visible()
    expect(teacher.page.get_by_role("button", name="This is it")).to_be_hidden()
