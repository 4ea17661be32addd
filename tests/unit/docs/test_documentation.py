"""What the documentation says is there is there, and what is there is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

import inkseek
from service.app import create_app
from service.config import load_settings, settings_table

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "docker" / "README.md", ROOT / "examples" / "README.md"]
)


def routes() -> list[str]:
    return sorted(create_app(load_settings({}, index=Path("nowhere"))).openapi()["paths"])


def commands(app: typer.Typer, prefix: str = "inkseek") -> list[str]:
    own = [f"{prefix} {c.name or c.callback.__name__}" for c in app.registered_commands if c.callback]
    return own + [
        name
        for group in app.registered_groups
        if group.typer_instance is not None
        for name in commands(group.typer_instance, f"{prefix} {group.name}")
    ]


def test_the_settings_table_is_the_settings() -> None:
    match = re.search(r"<!-- settings -->\n(.*?)\n<!-- /settings -->", README, re.DOTALL)
    assert match, "README has no settings table"
    assert match.group(1) == settings_table()


def test_every_route_is_in_the_readme() -> None:
    assert routes()
    missing = [path for path in routes() if path not in README and f"`/{path.rsplit('/', 1)[-1]}`" not in README]
    assert not missing


def test_every_command_is_in_the_readme() -> None:
    known = commands(inkseek.app)
    assert len(known) >= 8
    words = [name.split() for name in known]
    assert not [name for name in words if f"`{name[-1]}`" not in README and " ".join(name) not in README]


def test_every_command_in_the_documentation_exists() -> None:
    known = commands(inkseek.app)
    for page in PAGES:
        for name in re.findall(
            r"inkseek (?:index |bundle )?[a-z]+", " ".join(re.findall(r"`inkseek[^`]*`", page.read_text()))
        ):
            assert any(command.startswith(name) for command in known), f"{page.name} names {name!r}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text)
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


def test_every_chore_is_in_the_makefile() -> None:
    chores = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for chore in re.findall(r"^\s*make ([a-z-]+)|`make ([a-z-]+)", page.read_text(), re.MULTILINE):
            name = chore[0] or chore[1]
            assert name in chores, f"{page.name} names make {name}"
