"""Fills the tables of the reference pages, and the settings that the Helm chart knows, from the code (`make docs`).

A table stands between `<!-- table: NAME -->` and `<!-- /table -->`. A test holds the pages against what this writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

import inkseek
from service.config import Settings, settings_table
from service.http.problem_kinds import all_kinds

REFERENCE = Path(__file__).resolve().parent / "reference"
CHART_SCHEMA = REFERENCE.parents[1] / "deploy" / "helm" / "inkseek" / "values.schema.json"
# Settings that the Helm chart makes of other values, or that its volumes and ports decide.
CHART_OWN = frozenset(
    {
        "index",
        "online_dir",
        "host",
        "port",
        "bundle",
        "read_only",
        "keys_file",
        "milvus_uri",
        "milvus_token",
        "rate_limit_redis",
    }
)

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


def chart_schema(text: str) -> str:
    """The schema of the Helm chart's values, with the settings of the service that `settings` may name."""
    schema = json.loads(text)
    names = [name for name in Settings.model_fields if name not in CHART_OWN]
    schema["properties"]["settings"]["propertyNames"] = {"enum": names}
    return json.dumps(schema, indent=2) + "\n"


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
    """Write the pages whose tables have changed, and the schema of the Helm chart's values."""
    for page in sorted(REFERENCE.glob("*.md")):
        _rewrite(page, filled)
    _rewrite(CHART_SCHEMA, chart_schema)


def _rewrite(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text(encoding="utf-8")
    if (new := change(text)) != text:
        path.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
