"""The API reference in a browser: read and tried without a network, on a phone too, and within the content policy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.end_to_end.page.conftest import no_errors

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenContext

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def reference(open_context: OpenContext) -> Iterator[Page]:
    page = open_context().new_page()
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url))
    with no_errors(page):
        page.goto("/docs")
        yield page
    own = page.url.partition("/docs")[0]
    assert not [url for url in outside if not url.startswith((own, "blob:"))]


def tried(page: Page, operation: str) -> Locator:
    """The form of an operation, opened."""
    form = page.locator(f"#{operation} details.try")
    form.locator("summary").first.click()
    return form


def answer(form: Locator, status: int) -> str:
    form.get_by_role("button", name="Send").click()
    expect(form.locator("output > p")).to_contain_text(f"{status} ")
    return form.locator("output > pre").inner_text()


def test_a_search_is_tried_with_each_example_and_with_a_file(reference: Page, shape_file: Any) -> None:
    form = tried(reference, "search")
    form.get_by_label("k", exact=True).fill("2")
    form.get_by_label("category").fill("round\nangular")
    form.get_by_label("adapt").select_option("false")
    examples = form.get_by_label("example")
    for number in range(examples.locator("option").count()):
        examples.select_option(index=number)
        assert len(json.loads(answer(form, 200))["results"]) <= 2
    expect(form.locator("output > p")).to_contain_text("k=2")
    picture: Path = shape_file("square")
    form.get_by_label("or a picture").set_input_files(picture)
    form.get_by_label("category").fill("")
    assert json.loads(answer(form, 200))["results"][0]["metadata"]["name"] == "square"


def test_pictures_are_shown_and_ids_keep_their_slashes(reference: Page) -> None:
    form = tried(reference, "list_photos")
    form.get_by_label("limit").fill("1")
    (photo,) = json.loads(answer(form, 200))["photos"]
    form = tried(reference, "get_photo_thumbnail")
    form.get_by_label("photo_id").fill(photo["photo_id"])
    form.get_by_role("button", name="Send").click()
    expect(form.locator("output img")).to_be_visible()
    assert form.locator("output img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_a_problem_is_shown_as_it_is(reference: Page) -> None:
    form = tried(reference, "get_photo")
    form.get_by_label("photo_id").fill("no/such photo.jpg")
    assert json.loads(answer(form, 404))["code"] == "photo_not_found"
    form.get_by_text("Headers").click()
    expect(form.locator("output details pre")).to_contain_text("x-request-id")


def test_the_key_and_the_gallery_go_along(reference: Page) -> None:
    reference.get_by_label("API key").fill("a-key")
    reference.get_by_label("gallery", exact=True).first.fill("default")
    form = tried(reference, "list_categories")
    with reference.expect_request(re.compile("/v1/galleries/default/categories$")) as sent:
        answer(form, 200)
    assert sent.value.headers["authorization"] == "Bearer a-key"


def test_contents_lead_to_every_operation(reference: Page) -> None:
    links = reference.get_by_role("navigation", name="Contents").get_by_role("link")
    targets = [link.get_attribute("href") or "" for link in links.all()]
    assert len(targets) > 30
    for target in targets:
        assert reference.locator(target).count() == 1, target


def test_a_phone_has_no_sideways_scroll_and_folded_contents(open_context: OpenContext) -> None:
    page = open_context(**PHONE).new_page()
    with no_errors(page):
        page.goto("/docs")
        contents = page.locator("#contents")
        assert contents.get_attribute("open") is None
        contents.locator("summary").click()
        contents.get_by_role("link", name="List the photos").click()
        expect(page).to_have_url(re.compile("#list_photos$"))
        assert contents.get_attribute("open") is None
        for form in page.locator("details").all():
            form.evaluate("details => { details.open = true; }")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
