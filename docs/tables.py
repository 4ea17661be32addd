"""Fills the tables of the reference pages from the code: `python docs/tables.py` (or `make docs`).

A table stands between `<!-- table: NAME -->` and `<!-- /table -->`. A test holds the pages against what this writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

import inkseek
from service.config import settings_table
from service.http.problem_kinds import all_kinds

REFERENCE = Path(__file__).resolve().parent / "reference"

_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)


def problems_table() -> str:
    """Each kind of problem that the API answers, by status and code."""
    rows = [f"| {kind.status} | `{kind.code}` | {kind.title} | {kind.advice} |" for kind in all_kinds()]
    return "\n".join(["| status | code | title | what to do |", "|---|---|---|---|", *rows])


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """Each command that does something, by its full name, in the order of the help."""
    yield from _below(get_command(inkseek.app), "inkseek")


def commands_section() -> str:
    """Each command with what it does, its arguments and its options."""
    return "\n\n".join(_command(name, command) for name, command in commands())


TABLES: dict[str, Callable[[], str]] = {
    "settings": settings_table,
    "problems": problems_table,
    "commands": commands_section,
}


def filled(page: str) -> str:
    """The text of a page with each of its tables as the code has it now."""
    return _TABLE.sub(lambda match: f"{match[1]}{TABLES[match[2]]()}\n{match[3]}", page)


def _below(command: object, name: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for part, sub in command.commands.items():
            yield from _below(sub, f"{name} {part}")
    elif isinstance(command, TyperCommand):
        yield name, command


def _command(name: str, command: TyperCommand) -> str:
    summary = " ".join((command.help or "").split())
    rows = [_row(parameter) for parameter in command.params if isinstance(parameter, TyperArgument | TyperOption)]
    table = ["| option | meaning |", "|---|---|", *rows] if rows else []
    return "\n".join([f"### `{name}`", "", summary, "", *table]).rstrip()


def _row(parameter: TyperArgument | TyperOption) -> str:
    if isinstance(parameter, TyperArgument):
        spelling = f"`{(parameter.name or '').upper()}`"
    else:
        spelling = " ".join(f"`{flag}`" for flag in [*parameter.opts, *parameter.secondary_opts])
    notes = [(parameter.help or "").replace("|", "\\|").strip()]
    if parameter.required and isinstance(parameter, TyperOption):
        notes.insert(0, "Required.")
    default = parameter.default
    if isinstance(default, str | int | float) and not isinstance(default, bool) and default != "":
        notes.append(f"Default: `{default}`.")
    return f"| {spelling} | {' '.join(note for note in notes if note)} |"


def main() -> None:
    """Write the pages whose tables have changed."""
    for page in sorted(REFERENCE.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (new := filled(text)) != text:
            page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
