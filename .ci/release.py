"""What a tag releases: `check TAG` fails where the tree is not that release, `notes TAG` prints its changelog."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_SECTION = re.compile(r"^## (?P<version>\S+) \((?P<date>[^)]*)\)\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def version_of(tag: str) -> str:
    """The version that a tag names; "" where it is none, as `main` is."""
    found = re.fullmatch(r"v(\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)", tag)
    return found[1] if found else ""


def section(changelog: str, version: str) -> tuple[str, str]:
    """Date and text of a version's section; both "" where it has none."""
    for found in _SECTION.finditer(changelog):
        if found["version"] == version:
            return found["date"], found["text"].strip()
    return "", ""


def problems(tag: str, root: Path = ROOT) -> list[str]:
    """What is wrong with releasing the tree as `tag`: one sentence each."""
    version = version_of(tag)
    if not version:
        return [f"{tag} names no version: a tag is vMAJOR.MINOR.PATCH, with aN, bN or rcN behind it for a candidate"]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [] if project["version"] == version else [f"pyproject.toml has version {project['version']}, not {version}"]
    date, text = section((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    if not text:
        found.append(f"CHANGELOG.md has no section `## {version} (YYYY-MM-DD)`")
    elif not _DAY.fullmatch(date):
        found.append(f"CHANGELOG.md has {date!r} for the day of {version}")
    return found


def main(word: str, tag: str) -> int:
    """The exit status."""
    if word == "notes":
        _, text = section((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version_of(tag))
        print(text)
        return 0 if text else 1
    found = problems(tag)
    print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("check", "notes"):
        sys.exit("usage: release.py check|notes TAG")
    sys.exit(main(*sys.argv[1:]))
