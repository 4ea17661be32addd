"""The page's modules as one script: order, names, comments; and what cannot be put together is said."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from service.http.routes.page import PAGE
from service.page_build.errors import PageInvalid
from service.page_build.scripts import bundle_scripts, plain_style

SOURCES = {
    "main.js": """/** Entry. */
import { area as areaOf, SIDES } from "./shapes/square.js";
import * as words from "./words.js";

const said = await Promise.resolve(`${words.NAME} // no comment ${areaOf(3)}`);
console.log(JSON.stringify([said, SIDES, new words.Counter().next(), await words.later()]));
""",
    "shapes/square.js": """import { times } from "../words.js";
/** Of a square. */
export const SIDES = 4;
  // A comment of its own.
export function area(side) {
  return /** @type {number} */ (times(side, side));
}
""",
    "words.js": """export const NAME = "square";
export class Counter {
  #n = 0;
  /** Counts. */
  next() {
    return ++this.#n;
  }
}
export async function later() {
  return "later";
}
export function times(a, b) {
  return a * b;
}
""",
}


def test_a_bundle_does_what_its_modules_do() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js to run it")
    bundle = bundle_scripts(SOURCES, "main.js")
    assert "Entry." not in bundle
    assert "A comment of its own" not in bundle
    ran = subprocess.run(
        [node, "--input-type=module"], input=bundle, capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(ran.stdout) == ["square // no comment 9", 4, 1, "later"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words.js": 'import { area } from "./shapes/square.js";\nexport const NAME = area;\n'}, "a circle"),
        ({"main.js": 'import { a } from "./gone.js";\n'}, "main.js imports gone.js, which is missing"),
        ({"main.js": "export default 1;\n"}, "export default"),
        ({"main.js": 'import thing from "./words.js";\n'}, "import thing"),
        ({"main.js": "const here = import.meta.url;\n"}, "import.meta"),
        ({"words.js": "export let count = 0;\n"}, "export let"),
        ({"words.js": "export const NAME = `a\n  b`;\n"}, "template literal goes on after line 1"),
    ],
)
def test_what_cannot_be_put_together_is_said(change: dict[str, str], message: str) -> None:
    with pytest.raises(PageInvalid, match=message.replace(".", r"\.")):
        bundle_scripts(SOURCES | change, "main.js")


def test_the_entry_has_to_be_there() -> None:
    with pytest.raises(PageInvalid, match=r"the page imports main\.js, which is missing"):
        bundle_scripts({}, "main.js")


def test_newer_features_of_browsers_are_used_in_one_module_alone() -> None:
    """What Safari 15 and Firefox 100 lack has a test for it there, and a way without."""
    newer = (
        "AbortSignal.", "structuredClone", ".at(", ".findLast", ".toSorted", ".toReversed", ".toSpliced", ".with(",
        "Object.groupBy", "Object.hasOwn", "Promise.withResolvers", "Array.fromAsync", ".inert", ".animate(",
        "ResizeObserver", "navigator.clipboard", "CompressionStream", "requestIdleCallback", "checkVisibility",
        "startViewTransition", "showPopover", "replaceChildrenAsync", "URL.canParse", "crypto.randomUUID",
        "(?<=", "(?<!",
    )  # fmt: skip
    allowed = {"features.js", "modal.js"}
    used = {
        f"{path.name}: {name}"
        for path in (PAGE / "js").rglob("*.js")
        if path.name not in allowed
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith(("*", "/*", "//"))
        for name in newer
        if name in line
    }
    assert used == set()


def test_a_style_sheet_loses_what_only_its_readers_need() -> None:
    style = '/* The board. */\n.board {\n  color: red; /* why */\n\n  content: "/*";\n}\n'
    assert plain_style(style) == '.board {\ncolor: red; /* why */\ncontent: "/*";\n}\n'
