"""The documentation names what exists, and what exists is documented."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperCommand

from docs.tables import REFERENCE, TABLES, commands, filled
from index_builder.artifact import manifest as index_manifest
from models.bundle import manifest as bundle_manifest
from models.losses.table import LOSSES
from service.access import key_file
from service.app import create_app
from service.backup import contents
from service.config import load_settings, settings_table
from service.store import schema

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *(ROOT / "models").glob("**/*.md"),
        *(ROOT / "deploy").glob("**/*.md"),
        ROOT / "clients" / "python" / "README.md",
        ROOT / "docker" / "README.md",
        *(page for page in ROOT.glob("examples/**/*.md") if "node_modules" not in page.parts),
    ]
)
COMMANDS: dict[str, TyperCommand] = dict(commands())
FOLDERS = (
    "benchmarks",
    "clients",
    "deploy",
    "docker",
    "docs",
    "examples",
    "index_builder",
    "models",
    "service",
    "tests",
)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_of(page: Path) -> str:
    """Inline code and code blocks, one command a line."""
    text = text_of(page)
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^ {4,}(\S(?:.*\\\n)*.*)", text, re.MULTILINE)
    inline = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    return "\n".join(re.sub(r"\s*\\\n\s*", " ", block) for block in [*fenced, *indented, *inline])


def anchors_of(page: Path) -> set[str]:
    """What a forge makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def uses_of_commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Each `inkseek …` in code: the command that its words name, and the words after it."""
    for line in code_of(page).splitlines():
        for call in re.findall(r"(?:^|[ /])inkseek ([a-z].*)", line):
            words = re.split(r"\s+#\s|\s+[|&]\s", call)[0].split()
            known = [n for n in range(len(words), 0, -1) if f"inkseek {' '.join(words[:n])}" in COMMANDS]
            yield (f"inkseek {' '.join(words[: known[0]])}", words[known[0] :]) if known else (f"inkseek {call}", [])


@pytest.mark.parametrize("page", sorted(REFERENCE.glob("*.md")), ids=lambda page: page.name)
def test_tables_are_as_the_code_has_it(page: Path) -> None:
    assert text_of(page) == filled(text_of(page)), "run `make docs`"


def test_every_table_stands_in_a_page() -> None:
    pages = "".join(text_of(page) for page in REFERENCE.glob("*.md"))
    assert all(f"<!-- table: {name} -->" in pages for name in TABLES)


def test_every_route_is_in_the_reference() -> None:
    paths = create_app(load_settings({}, index=Path("nowhere"))).openapi()["paths"]
    assert paths
    page = text_of(REFERENCE / "api.md")
    missing = [
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        # Below a gallery's name are the same routes: the page says so once.
        if not path.startswith("/v1/galleries/{gallery}/") and f"`{method.upper()} {path}`" not in page
    ]
    assert not missing


def test_schema_versions_are_those_that_are_written() -> None:
    written = re.findall(r"^`([\w/]+)`, schema version (\d+)", text_of(REFERENCE / "formats.md"), re.MULTILINE)
    assert dict(written) == {
        "models/bundle": str(bundle_manifest.SCHEMA_VERSION),
        "index_builder/artifact": str(index_manifest.SCHEMA_VERSION),
        "service/store": str(schema.SCHEMA_VERSION),
        "service/backup": str(contents.SCHEMA_VERSION),
        "service/access": str(key_file.SCHEMA_VERSION),
    }


def test_every_loss_has_its_row() -> None:
    page = text_of(ROOT / "docs" / "howto" / "train.md")
    assert LOSSES
    assert not [name for name in LOSSES if f"| `{name}` |" not in page]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist_with_these_options(page: Path) -> None:
    groups = {" ".join(name.split()[:n]) for name in COMMANDS for n in (1, 2)}
    for name, words in uses_of_commands(page):
        if name not in COMMANDS:
            assert name.removesuffix(" …") in groups, f"{name_of(page)} names `{name}`"
            continue
        flags = {flag for option in COMMANDS[name].params for flag in [*option.opts, *option.secondary_opts]}
        used = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= flags | {"--help"}, f"{name_of(page)}: `{name}` has no {', '.join(sorted(used - flags))}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_exist(page: Path) -> None:
    assert set(re.findall(r"INKSEEK_[A-Z_]*[A-Z]", text_of(page))) <= set(re.findall(r"INKSEEK_\w+", settings_table()))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\(([^)\s]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{name_of(page)} links to {target}"
        assert not anchor or anchor in anchors_of(linked), f"{name_of(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_in_code_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return  # tells of what was
    for path in re.findall(rf"(?<![\w/.$])(?:{'|'.join(FOLDERS)})/[\w./-]*[\w/]", code_of(page)):
        found = (ROOT / path).exists() or (ROOT / f"{path}.py").exists()
        assert found, f"{name_of(page)} names {path}"


def test_every_chore_is_in_the_makefile() -> None:
    chores = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        for chore in re.findall(r"^make ([a-z-]+)", code_of(page), re.MULTILINE):
            assert chore in chores, f"{name_of(page)} names make {chore}"


def test_the_readme_is_a_screen_and_a_half() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) <= 90


@pytest.mark.parametrize("package", ["index_builder", "models", "service"])
def test_the_picture_of_rooms_is_the_import_contract(package: str) -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    [contract] = [known for known in config["contracts"] if known.get("containers") == [package]]
    layers = [sorted(layer.split(" | ")) for layer in contract["layers"]]
    picture = re.search(rf"subgraph {package}\n.*?\n(.*)\n", text_of(ROOT / "docs" / "architecture.md"))
    assert picture
    assert [sorted(box.split(", ")) for box in re.findall(r"\[([^\]]+)\]", picture[1])] == layers
