"""Say what pip-audit found, and about which pins nobody answered: pip-audit --format json | this script PINS...

By itself pip-audit counts a package that its service does not know among those without a vulnerability, and without a
network it ends with a traceback. The input is any number of its JSON documents, one after the other; the arguments are
the files whose pins were meant. The exit status is 1 for a known vulnerability, and with --must-answer also for a pin
without an answer.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TITLE = "known vulnerabilities"


def answered(text: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(name, version) -> its vulnerabilities, where there was an answer; JSONDecodeError for other output."""
    decoder = json.JSONDecoder()
    answers: dict[tuple[str, str], list[dict[str, Any]]] = {}
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        for package in document["dependencies"]:
            if "skip_reason" not in package:
                answers[canonicalize_name(package["name"]), package["version"]] = package["vulns"]
        text = text[end:]
    return answers


def pinned(files: list[Path]) -> set[tuple[str, str]]:
    """(name, version) of each line NAME==VERSION; ValueError for a line that holds no single version."""
    pins: set[tuple[str, str]] = set()
    for line in "\n".join(file.read_text(encoding="utf-8") for file in files).splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (version,) = requirement.specifier
            pins.add((canonicalize_name(requirement.name), version.version))
    return pins


def report(pins: set[tuple[str, str]], answers: dict[tuple[str, str], list[dict[str, Any]]]) -> tuple[int, int]:
    """Print a line per vulnerability and what could not be asked; the numbers of both."""
    unasked = sorted(pins - answers.keys())
    lines = [
        f"{name} {version}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version yet'}"
        for (name, version), vulnerabilities in sorted(answers.items())
        for found in vulnerabilities
    ]
    for line in lines:
        print(line)
    if len(unasked) == len(pins):
        print(f"{TITLE}: could not ask; none of {len(pins)} pins was checked (no network, or a mirror without answers)")
    else:
        print(f"{TITLE}: {len(lines)} in the {len(pins) - len(unasked)} of {len(pins)} pins that were checked")
        if unasked:
            print(f"{TITLE}: could not ask about {', '.join(f'{name} {version}' for name, version in unasked)}")
    return len(lines), len(unasked)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=TITLE)
    parser.add_argument("pins", nargs="+", type=Path)
    parser.add_argument("--must-answer", action="store_true")
    asked = parser.parse_args()
    known, unanswered = report(pinned(asked.pins), answered(sys.stdin.read()))
    sys.exit(1 if known or (asked.must_answer and unanswered) else 0)
