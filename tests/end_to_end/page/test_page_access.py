"""The page without a mouse: pictures instead of strokes, keyboard, screen reader, phone."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.end_to_end.page.conftest import OpenUser
    from tests.end_to_end.page.user import User

PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


@pytest.fixture
def picture(shape_file: Any) -> Path:
    """A drawing of a square, as a file."""
    path: Path = shape_file("square")
    return path


def test_keyboard_alone_finds_and_opens_a_photo(user: User, picture: Path) -> None:
    press = user.page.keyboard.press
    chosen = user.page.get_by_label("Choose an image")
    # Listened for from the start: the browser takes a moment to hand its file choosers over.
    user.page.once("filechooser", lambda chooser: chooser.set_files(picture))
    for _ in range(12):
        press("Tab")
        if chosen.evaluate("input => input === document.activeElement"):
            break
    expect(chosen).to_be_focused()
    press("Enter")
    user.expect_best("square")

    press("r")
    expect(user.page.locator(".card").first).to_be_focused()
    press("ArrowRight")
    press("ArrowDown")
    columns = user.page.evaluate("getComputedStyle(grid).gridTemplateColumns.split(' ').length")
    expect(user.page.locator(".card").nth(1 + columns)).to_be_focused()
    press("End")
    expect(user.page.locator(".card").last).to_be_focused()
    press("Home")
    press("Enter")
    expect(user.page.get_by_role("dialog", name="square")).to_be_visible()
    press("Escape")
    expect(user.page.locator(".card").first).to_be_focused()

    press("?")
    help_dialog = user.page.get_by_role("dialog", name="Keyboard shortcuts")
    help_dialog.get_by_label("Single-key shortcuts").uncheck()
    press("Escape")
    press("e")
    expect(user.page.get_by_role("button", name="Pen")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted_and_drawn_over(user: User, picture: Path, way: str) -> None:
    user.draw_shape("circle")
    user.expect_best("circle")
    sent = user.picture_sent_by(
        lambda: user.page.evaluate(GIVE_FILE, [way, "image/png", base64.b64encode(picture.read_bytes()).decode()])
    )
    user.expect_best("square")
    assert sent[41, 256] < 128  # the square's upper edge
    assert sent[256, 256] == 255
    user.draw([(100, 128), (156, 128)])
    expect(user.page.get_by_role("img", name="Drawing board, an image and 1 stroke")).to_be_visible()
    user.page.reload()
    expect(user.page.get_by_role("img", name="Drawing board, an image and 1 stroke")).to_be_visible()


def test_what_is_no_picture_is_refused_in_words(user: User) -> None:
    user.page.evaluate(GIVE_FILE, ["drop", "text/plain", base64.b64encode(b"a shoe").decode()])
    expect(user.page.get_by_text("That is not an image.")).to_be_visible()
    user.page.evaluate(GIVE_FILE, ["drop", "image/png", base64.b64encode(b"a shoe").decode()])
    expect(user.page.get_by_text("That image cannot be read.")).to_be_visible()
    user.draw_shape("circle")
    user.expect_best("circle")
    expect(user.page.get_by_role("alert").filter(visible=True)).to_have_count(0)


def test_an_example_is_drawn_with_one_tap(user: User) -> None:
    examples = user.page.get_by_role("group", name="Example drawings").get_by_role("button")
    expect(examples.first).to_be_visible()
    examples.first.click()
    expect(user.page.locator(".card").first).to_be_visible()
    expect(examples.first).to_be_hidden()


def test_a_finger_draws_on_a_phone(open_user: OpenUser) -> None:
    user = open_user(**PHONE)
    touch = user.page.context.new_cdp_session(user.page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        placed = [dict(zip("xy", user.at(point), strict=True), id=number) for number, point in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": placed})

    # Down the board, where the page would scroll or be pulled; then a second finger comes, which must not draw.
    send("touchStart", (128, 30))
    for y in range(40, 231, 10):
        send("touchMove", (128, y))
    send("touchStart", (128, 230), (20, 20))
    send("touchMove", (128, 231), (60, 60))
    send("touchEnd")
    expect(user.page.get_by_role("img", name="Drawing board, 1 stroke")).to_be_visible()
    expect(user.page.locator(".card").first).to_be_visible()
    assert user.page.evaluate("scrollY") == 0
    assert len(user.page.evaluate("getComputedStyle(grid).gridTemplateColumns").split()) == 3


def test_nothing_overflows_and_controls_fit_a_thumb_on_a_phone(open_user: OpenUser) -> None:
    user = open_user("/?like=round%2Feyes.png", **PHONE)
    expect(user.page.locator(".card").first).to_be_visible()
    user.page.get_by_role("button", name="What the model sees").tap()
    assert user.page.evaluate(TOO_WIDE) == []
    assert user.page.evaluate(TOO_SMALL) == []
    user.page.get_by_role("button", name="Categories:").tap()
    expect(user.page.get_by_role("option").first).to_be_visible()
    assert user.page.evaluate(TOO_SMALL) == []
    user.page.get_by_role("button", name="Close the category list").tap()
    user.page.locator(".card").first.tap()
    expect(user.page.get_by_role("button", name="More like this")).to_be_in_viewport()
    assert user.page.evaluate(TOO_WIDE) == []
    assert user.page.evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_controls_have_names_and_text_has_contrast(open_user: OpenUser, scheme: str) -> None:
    user = open_user("/?like=round%2Feyes.png", color_scheme=scheme)
    expect(user.page.locator(".card").first).to_be_visible()
    for more in (None, "/", "Escape", "r", "Enter"):
        if more:
            user.page.keyboard.press(more)
        nodes = user.page.context.new_cdp_session(user.page).send("Accessibility.getFullAXTree")["nodes"]
        controls = [node for node in nodes if node.get("role", {}).get("value") in CONTROL_ROLES]
        assert len(controls) >= 4
        assert [node for node in controls if not node.get("name", {}).get("value")] == []
        assert user.page.evaluate(LOW_CONTRAST) == []


def test_teaching_fits_a_phone_and_can_be_read_and_heard(open_user: OpenUser, adaptable_url: str) -> None:
    user = open_user(base_url=adaptable_url, **PHONE)
    page = user.page
    page.get_by_role("button", name="Teach it").tap()
    expect(page.get_by_role("heading", name="Teach it what you mean")).to_be_focused()
    for drawn, meant in (("cross", "plus"), ("plus", "cross")):
        page.get_by_role("button", name="Clear the board").first.evaluate("button => button.click()")
        page.evaluate("scrollTo(0, 0)")
        user.draw_shape(drawn)
        user.wait_for_answer()
        # By keyboard: Tab leads from a photo to its mark.
        page.keyboard.press("r")
        name = page.get_by_role("button", name=f"{meant} is what I drew", exact=True)
        for _ in range(user.names().index(meant)):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
        expect(name).to_be_focused()
        page.keyboard.press("Enter")
        expect(name).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".card")).to_have_count(3)  # its category's; the mark keeps the focus
        expect(name).to_be_focused()
    assert page.evaluate(TOO_WIDE) == []
    page.get_by_role("button", name="Learn").tap()
    expect(page.locator("#teach-verdict")).to_be_focused()
    page.get_by_text("Versions:").tap()
    page.get_by_role("button", name="Delete version 1", exact=True).tap()
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(TOO_SMALL) == []
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    controls = [node for node in nodes if node.get("role", {}).get("value") in CONTROL_ROLES]
    assert [node for node in controls if not node.get("name", {}).get("value")] == []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(LOW_CONTRAST) == []
    page.get_by_role("button", name="Close teaching").tap()
    expect(page.get_by_role("button", name="Teach it")).to_be_focused()


CONTROL_ROLES = {"button", "link", "textbox", "combobox", "slider", "checkbox", "option", "listbox", "dialog", "image"}

GIVE_FILE = """([way, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "given", { type }));
  const options = { bubbles: true, cancelable: true };
  document.body.dispatchEvent(way === "drop" ? new DragEvent("drop", { ...options, dataTransfer: transfer })
                                             : new ClipboardEvent("paste", { ...options, clipboardData: transfer }));
}"""

TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML)"""

# What lies under an open dialog is not pressed; a hidden file input is pressed through its label.
TOO_SMALL = """() => {
  const root = document.querySelector("dialog[open]") ?? document;
  return [...root.querySelectorAll("button, a[href], select, [role=option], label.button, label:has(input)")]
    .filter((one) => one.checkVisibility() && !one.matches(".skip"))
    .map((one) => [one.id || one.className, one.getBoundingClientRect()])
    .filter(([, box]) => box.width < 44 || box.height < 44)
    .map(([name, box]) => `${name}: ${box.width} x ${box.height}`);
}"""

# WCAG 2.2 AA, for text whose background is the nearest opaque one above it in the tree.
LOW_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => rgba(colour).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const background = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (rgba(colour)[3] === 255) return colour;
    }
    return "white";
  };
  const root = document.querySelector("dialog[open]") ?? document.body;
  return [...root.querySelectorAll("*")]
    .filter((one) => one.checkVisibility({ opacityProperty: true }) && !one.disabled && !one.closest("template"))
    .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((one) => {
      const [high, low] = [luminance(getComputedStyle(one).color), luminance(background(one))].sort((a, b) => b - a);
      return [one.className || one.tagName, (high + 0.05) / (low + 0.05)];
    })
    .filter(([, contrast]) => contrast < 4.5).map(([name, contrast]) => `${name}: ${contrast.toFixed(2)}`);
}"""
