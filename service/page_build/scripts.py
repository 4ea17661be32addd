"""The page's ES modules as one: a browser far away would wait for each of them, and for those that they import.

In the order of their imports, without exported functions that nobody calls. A module whose names no other one has
stands as it is; any other becomes a function that returns its exports. No module is parsed: imports and exports stand
at the beginning of lines in the few forms that the sources use, and any other form is an error.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.page_build.errors import PageInvalid
from service.page_build.plain import plain_script, without_functions

_NAMED = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
_STAR = re.compile(r'^import \* as (\w+) from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)
_UNSUPPORTED = re.compile(r"^(?:import|export)\b.*|.*\bimport\.meta\b.*|.*\bimport\(.*", re.MULTILINE)
# What a module declares outside of its functions, in a text that has its indentation still.
_TOP_LEVEL = re.compile(r"^(?:export )?(?:(?:async )?function\*?|class|const|let) (\w+|[\[{])", re.MULTILINE)
# Of those names that a browser's window has: in the place of one, a module that means the window's would get another.
# A test asks a browser about all the others.
_OF_WINDOW = {
    "History",
    "Navigation",
    "close",
    "closed",
    "event",
    "find",
    "focus",
    "history",
    "length",
    "name",
    "open",
    "origin",
    "parent",
    "print",
    "scroll",
    "self",
    "status",
    "stop",
    "top",
    "when",
}
# Not those that an object stands before.
_WORD = re.compile(r"(?<![\w$.#])[A-Za-z_$][\w$]*")


@dataclass
class _Module:
    """A module's text without its imports and exports, and what these name.

    `named`: pairs of a name in another module and of the name here, with the path of that module; `whole`: the name
    here of a whole module, with its path; `declared`: all names outside of its functions.
    """

    body: str
    named: list[tuple[list[tuple[str, str]], str]] = field(default_factory=list)
    whole: list[tuple[str, str]] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        """The modules that it imports, in the order of their loading."""
        return [target for _, target in (*self.named, *self.whole)]


def bundle_scripts(sources: Mapping[str, str], entry: str) -> str:
    """One module that does what `entry` does with all that it imports.

    `sources`: the text of each module by its path, such as `api/request.js`. Raises PageInvalid for an import in a
    circle or of a missing module, and for forms of import and export other than the sources' own.
    """
    modules, order = _loaded(sources, entry)
    shared, free = _shared_names(modules, order), _free_modules(modules, order)
    names = {path: f"module{number}" for number, path in enumerate(order)}
    parts = []
    for path in order:
        module = modules[path]
        code = _bindings(module, names, shared) + module.body
        if path == entry:
            parts.append(f"{{\n{code}}}\n")  # a block and no function: the entry may await at its top level
            continue
        if path in free:
            parts.append(code)
            continue
        exports = f"{{ {', '.join(module.exports)} }}"
        parts.append(f"const {names[path]} = (() => {{\n{code}return {exports};\n}})();\n")
        if own := [name for name in module.exports if (path, name) in shared]:
            parts.append(f"const {{ {', '.join(own)} }} = {names[path]};\n")
    return "".join(parts)


def names_for_all(sources: Mapping[str, str], entry: str) -> set[str]:
    """The names that every module of the bundle sees, whether or not it imports them: no window may have one."""
    modules, order = _loaded(sources, entry)
    free = _free_modules(modules, order)
    return {name for _, name in _shared_names(modules, order)} | {
        name for path in free for name in modules[path].declared
    }


def _loaded(sources: Mapping[str, str], entry: str) -> tuple[dict[str, _Module], list[str]]:
    """The modules without functions that nobody calls, and the order of their loading."""
    modules = {path: _read(path, text) for path, text in sources.items()}
    order: list[str] = []
    _visit(entry, modules, order, ())
    for path in order:
        unused = _unused_names(path, modules, order)
        modules[path] = _read(path, without_functions(sources[path], unused)) if unused else modules[path]
    return modules, order


def _bindings(module: _Module, names: Mapping[str, str], shared: set[tuple[str, str]]) -> str:
    """Constants for what a module imports; what is shared has its name already."""
    lines = [f"const {name} = {names[target]};\n" for name, target in module.whole]
    for pairs, target in module.named:
        needed = [(one, here) for one, here in pairs if one != here or (target, one) not in shared]
        own = [one if one == here else f"{one}: {here}" for one, here in needed]
        lines += [f"const {{ {', '.join(own)} }} = {names[target]};\n"] if own else []
    return "".join(lines)


def _shared_names(modules: Mapping[str, _Module], order: Sequence[str]) -> set[tuple[str, str]]:
    """Exports, as module and name, that every module behind may call by their names: those that are named once.

    A module that means something else by such a word declares it, and that is then nearer. Only what it declares
    nowhere, a name of the window, would become another thing.
    """
    exports = [(path, name) for path in order for name in modules[path].exports]
    often = Counter(name for _, name in exports)
    return {(path, name) for path, name in exports if often[name] == 1 and name not in _OF_WINDOW}


def _free_modules(modules: Mapping[str, _Module], order: Sequence[str]) -> set[str]:
    """The modules that need no function around them.

    Nothing else is declared by their names outside of functions, they need no constants for what they import, and
    nobody imports them as a whole or by other names.
    """
    shared = _shared_names(modules, order)
    often = Counter(name for path in order for name in modules[path].declared)
    bound = {target for path in order for _, target in modules[path].whole}
    for path in order:
        bound |= {target for pairs, target in modules[path].named if any(one != here for one, here in pairs)}
    names = dict.fromkeys(order, "")
    return {
        path
        for path in order[:-1]
        if path not in bound
        and not _bindings(modules[path], names, shared)
        and all(often[name] == 1 and name.isidentifier() and name not in _OF_WINDOW for name in modules[path].declared)
        and all((path, name) in shared for name in modules[path].exports)
    }


def _unused_names(path: str, modules: Mapping[str, _Module], order: Sequence[str]) -> set[str]:
    """Exports of a module that stand nowhere: not in its own body, nor in a module that imports them or all of it."""
    module = modules[path]
    words = Counter(_WORD.findall(module.body))
    unused = {name for name in module.exports if words[name] == 1}
    for other in (modules[one] for one in order):
        unused -= {one for pairs, target in other.named if target == path for one, _ in pairs}
        for alias in (alias for alias, target in other.whole if target == path):
            used = re.findall(rf"(?<![\w$.#]){alias}\b(?:\.(\w+))?", other.body)
            unused -= unused if "" in used else set(used)
    return unused


def _read(path: str, text: str) -> _Module:
    declared = _TOP_LEVEL.findall(text)
    text = plain_script(text, path)
    module = _Module(text, declared=declared)

    def named(match: re.Match[str]) -> str:
        names = [name.split(" as ") for name in re.split(r"\s*,\s*", match[1].strip(" \n,"))]
        module.named.append(([(pair[0], pair[-1]) for pair in names], _resolve(path, match[2])))
        return ""

    def star(match: re.Match[str]) -> str:
        module.whole.append((match[1], _resolve(path, match[2])))
        return ""

    def export(match: re.Match[str]) -> str:
        module.exports.append(match[1])
        return ""

    module.body = _EXPORT.sub(export, _STAR.sub(star, _NAMED.sub(named, text)))
    if odd := _UNSUPPORTED.search(module.body):
        raise PageInvalid(f"{path}: {odd[0].strip()!r} is no form of import or export that the page uses")
    return module


def _resolve(importer: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), target))


def _visit(path: str, modules: Mapping[str, _Module], order: list[str], above: tuple[str, ...]) -> None:
    if path in above:
        raise PageInvalid(f"{' imports '.join((*above, path))}: a circle")
    if path in order:
        return
    if path not in modules:
        raise PageInvalid(f"{above[-1] if above else 'the page'} imports {path}, which is missing")
    for target in modules[path].targets:
        _visit(target, modules, order, (*above, path))
    order.append(path)
