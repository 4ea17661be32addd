"""The page's modules as one script: order, names, comments; and what cannot be put together is said."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from service.http.routes.page import PAGE
from service.page_build.errors import PageInvalid
from service.page_build.plain import plain_document, plain_style, short_private_names
from service.page_build.scripts import bundle_scripts, names_for_all

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
    bundle = bundle_scripts(SOURCES, "main.js")
    assert "Entry." not in bundle
    assert "A comment of its own" not in bundle
    assert run_module(bundle) == ["square // no comment 9", 4, 1, "later"]


SHARED = {
    "main.js": """import { area, SIDE } from "./square.js";
import { open, times as product } from "./words.js";
console.log(JSON.stringify([area(SIDE), open(), product(2, 3)]));
""",
    "square.js": """import { times } from "./words.js";
export const SIDE = 4;
export function area(length) {
  const open = 1;
  return times(length, length) + open;
}
""",
    "words.js": """export function times(a, b) {
  return a * b;
}
export const open = () => "opened";
""",
}


def run_module(script: str) -> Any:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js to run it")
    module = [node, "--input-type=module"]
    return json.loads(
        subprocess.run(module, input=script, capture_output=True, text=True, timeout=60, check=True).stdout
    )


def test_names_that_are_exported_once_are_bound_once() -> None:
    bundle = bundle_scripts(SHARED, "main.js")
    assert run_module(bundle) == [17, "opened", 6]
    # `open` is the window's, and `product` the importer's alone: main.js binds both.
    assert [line for line in bundle.splitlines() if line.endswith(("= module0;", "= module1;"))] == [
        "const { times } = module0;",
        "const { open, times: product } = module0;",
    ]


def test_a_module_stands_as_it_is_where_no_other_has_its_names() -> None:
    sources = {
        "main.js": """import { area } from "./area.js";
import { label } from "./label.js";
const MOST = 3;
console.log(JSON.stringify([area(MOST), label(), typeof status]));
""",
        "area.js": """import { times } from "./times.js";
const SCALE = 2;
let calls = 0;
export function area(side) {
  const label = ++calls;
  return SCALE * times(side, side) + label;
}
""",
        "times.js": """const [ONE] = [1];
export function times(a, b) {
  return a * b * ONE;
}
""",
        "label.js": """const MOST = 5;
const status = "ready";
export function label() {
  return `${status} ${MOST}`;
}
""",
    }
    bundle = bundle_scripts(sources, "main.js")
    # times.js destructures, and label.js has a name of main.js and one of the window: these have functions around them.
    assert bundle.count("(() => {") == 2
    assert "module0 =" in bundle and "module2 =" in bundle and "module1" not in bundle
    assert run_module(bundle) == [19, "ready 5", "undefined"]
    assert names_for_all(sources, "main.js") == {"area", "times", "label", "SCALE", "calls"}


def test_exported_functions_that_nobody_calls_are_left_out() -> None:
    sources = {
        "main.js": """import * as calls from "./calls.js";
import * as all from "./all.js";
import { named } from "./named.js";
console.log(JSON.stringify([calls.list(), Object.keys(all).length, named()]));
""",
        "calls.js": """export function list() {
  return twice(1);
}
/** Nobody calls it. */
export function clear(one) {
  if (one) {
    return "cleared";
  }
}
export function twice(a) {
  return 2 * a;
}
""",
        "all.js": """export function one() {
  return 1;
}
export async function two() {
  return 2;
}
""",
        "named.js": """export function other(
  a,
) {
  return a;
}
export function named() {
  return "named";
}
""",
    }
    bundle = bundle_scripts(sources, "main.js")
    assert run_module(bundle) == [2, 2, "named"]
    assert "clear" not in bundle and "twice" in bundle
    assert "function other(" in bundle  # in a form that is left alone


def test_private_names_are_short_where_nothing_else_is_written_so() -> None:
    text = """class Counter {
#value = 0;
static #made = 0;
get #next() {
return this.#value + 1;
}
async #later(other) {
return [other.#value, Counter.#made, "see #made", this.#a()];
}
#a() {
return this.#next;
}
static async run() {
return new Counter().#later(new Counter());
}
}
console.log(JSON.stringify(await Counter.run()));
"""
    short = short_private_names(text)
    assert run_module(short) == run_module(text) == [0, 0, "see #made", 1]
    assert set(re.findall(r"#(\w+)", short)) == {"made", "b", "c", "d", "e"}


def test_comments_behind_code_go_unless_they_may_be_text() -> None:
    sources = {
        "main.js": """const a = /** @type {number} */ (1); // one
const b = "a // b"; // it's text
console.log(JSON.stringify([a, b, "/** @type {x} */"]));
"""
    }
    bundle = bundle_scripts(sources, "main.js")
    assert run_module(bundle) == [1, "a // b", "/** @type {x} */"]
    assert "one" not in bundle
    assert "number" not in bundle


def test_the_page_has_the_modules_of_the_typescript_client_as_they_are() -> None:
    copies = PAGE / "js" / "inkseek_client"
    sources = PAGE.parents[1] / "clients" / "typescript" / "src"
    names = [path.relative_to(copies) for path in copies.rglob("*.js")]
    assert Path("sender.js") in names
    for name in names:
        assert (copies / name).read_text(encoding="utf-8") == (sources / name).read_text(encoding="utf-8"), (
            "make page-client"
        )


def test_a_document_has_no_indentation() -> None:
    assert plain_document("<p>\n  a <b>b</b>\n\n</p>\n") == "<p>\na <b>b</b>\n</p>\n"


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
