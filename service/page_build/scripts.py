"""The page's ES modules as one: a browser far away would wait for each of them, and for those that they import.

Each module becomes a function that returns its exports, in the order of their imports. No module is parsed: imports and
exports stand at the beginning of lines in the few forms that the sources use, and any other form is an error.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from service.page_build.errors import PageInvalid

_NAMED = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
_STAR = re.compile(r'^import \* as (\w+) from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)
_UNSUPPORTED = re.compile(r"^(?:import|export)\b.*|.*\bimport\.meta\b.*|.*\bimport\(.*", re.MULTILINE)
_BLOCK_COMMENT = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_LINE_COMMENT = re.compile(r"^[ \t]*//.*\n", re.MULTILINE)
_INDENT_OR_EMPTY = re.compile(r"^[ \t]+|^\n", re.MULTILINE)


@dataclass
class _Module:
    body: str
    imports: list[tuple[str, str]] = field(default_factory=list)  # what stands left of "=", and the module's path
    exports: list[str] = field(default_factory=list)


def bundle_scripts(sources: Mapping[str, str], entry: str) -> str:
    """One module that does what `entry` does with all that it imports.

    `sources`: the text of each module by its path, such as `api/request.js`. Raises PageInvalid for an import in a
    circle or of a missing module, and for forms of import and export other than the sources' own.
    """
    modules = {path: _read(path, text) for path, text in sources.items()}
    order: list[str] = []
    _visit(entry, modules, order, ())
    names = {path: f"module{number}" for number, path in enumerate(order)}
    parts = []
    for path in order:
        module = modules[path]
        lines = [f"const {left} = {names[target]};\n" for left, target in module.imports]
        code = "".join(lines) + module.body
        if path == entry:
            parts.append(f"{{\n{code}}}\n")  # a block and no function: the entry may await at its top level
        else:
            parts.append(f"const {names[path]} = (() => {{\n{code}return {{ {', '.join(module.exports)} }};\n}})();\n")
    return "".join(parts)


def plain_style(text: str) -> str:
    """A style sheet without the comments that have lines of their own, indentation and empty lines."""
    return _INDENT_OR_EMPTY.sub("", _BLOCK_COMMENT.sub("", text))


def _read(path: str, text: str) -> _Module:
    text = _without_comments(path, text)
    module = _Module(text)

    def named(match: re.Match[str]) -> str:
        names = [name.split(" as ") for name in re.split(r"\s*,\s*", match[1].strip(" \n,"))]
        module.imports.append((f"{{ {', '.join(': '.join(pair) for pair in names)} }}", _resolve(path, match[2])))
        return ""

    def star(match: re.Match[str]) -> str:
        module.imports.append((match[1], _resolve(path, match[2])))
        return ""

    def export(match: re.Match[str]) -> str:
        module.exports.append(match[1])
        return ""

    module.body = _EXPORT.sub(export, _STAR.sub(star, _NAMED.sub(named, text)))
    if odd := _UNSUPPORTED.search(module.body):
        raise PageInvalid(f"{path}: {odd[0].strip()!r} is no form of import or export that the page uses")
    return module


def _without_comments(path: str, text: str) -> str:
    """Comments that have lines of their own, indentation and empty lines are left out: more than half of the bytes."""
    text = _LINE_COMMENT.sub("", _BLOCK_COMMENT.sub("", text))
    for number, line in enumerate(text.splitlines(), 1):
        if line.count("`") % 2:
            raise PageInvalid(f"{path}: a template literal goes on after line {number}, and would lose its indentation")
    return _INDENT_OR_EMPTY.sub("", text)


def _resolve(importer: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), target))


def _visit(path: str, modules: Mapping[str, _Module], order: list[str], above: tuple[str, ...]) -> None:
    if path in above:
        raise PageInvalid(f"{' imports '.join((*above, path))}: a circle")
    if path in order:
        return
    if path not in modules:
        raise PageInvalid(f"{above[-1] if above else 'the page'} imports {path}, which is missing")
    for _, target in modules[path].imports:
        _visit(target, modules, order, (*above, path))
    order.append(path)
