"""The page in browsers that lack what is newer: each such feature is deleted, and the page is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.end_to_end.page.conftest import no_errors
from tests.end_to_end.page.user import User

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenContext
    from tests.end_to_end.page.user import Recorder

NEWER = """() => {
  for (const [owner, names] of [
    [AbortSignal, ["any", "timeout"]],
    [AbortSignal.prototype, ["throwIfAborted"]],
    [window, ["structuredClone", "ResizeObserver", "CompressionStream", "DecompressionStream", "requestIdleCallback"]],
    [Array.prototype, ["at", "findLast", "findLastIndex", "toSorted", "toReversed", "toSpliced", "with"]],
    [String.prototype, ["at", "isWellFormed"]],
    [Array, ["fromAsync"]],
    [Object, ["groupBy", "hasOwn"]],
    [Map, ["groupBy"]],
    [Promise, ["withResolvers", "try"]],
    [URL, ["canParse", "parse"]],
    [Element.prototype, ["animate", "checkVisibility"]],
    [HTMLElement.prototype, ["inert", "showPopover"]],
    [HTMLDialogElement.prototype, ["showModal", "show", "requestClose"]],
    [Document.prototype, ["startViewTransition"]],
    [Crypto.prototype, ["randomUUID"]],
    [Navigator.prototype, ["clipboard", "share", "userActivation"]],
  ]) for (const name of names) delete owner[name];
  for (const name of ["any", "timeout"]) if (name in AbortSignal) throw new Error(name);
}"""


def test_the_page_works_without_what_is_newer(open_context: OpenContext, recorder: Recorder) -> None:
    page = open_context().new_page()
    page.add_init_script(f"({NEWER})()")
    with no_errors(page):
        user = User(page, recorder).open("/")
        assert page.evaluate("[typeof AbortSignal.any, 'showModal' in document.querySelector('dialog'), [].at]") == [
            "undefined", False, None,
        ]  # fmt: skip
        user.draw_shape("circle")
        user.expect_best("circle")
        page.get_by_role("button", name="Categories:").click()
        page.get_by_role("option", name="round").click()
        expect(page.locator(".card")).to_have_count(4)
        page.keyboard.press("Escape")

        page.locator(".card").first.click()
        dialog = page.get_by_role("dialog", name="circle")
        expect(dialog).to_be_visible()
        expect(dialog).to_have_attribute("aria-modal", "true")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_text("Result 2 of 4")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#photo-dialog")).to_be_hidden()
        page.locator(".card").first.click()
        expect(page.locator("#photo-dialog")).to_be_visible()
        page.go_back()
        expect(page.locator("#photo-dialog")).to_be_hidden()

        page.get_by_role("button", name="Save and recent").click()
        page.get_by_role("button", name="Copy a link").click()
        link = page.get_by_label("Link to the drawing")
        expect(link).to_be_focused()  # without a clipboard it is there to be copied
        assert "#drawing=" in link.input_value()
        page.keyboard.press("Escape")
        user.draw_shape("plus")
        expect(page.get_by_role("img", name="Drawing board, 3 strokes")).to_be_visible()
