"""The page's texts: one JSON file a language, and which of them a browser gets."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from service.page_build.errors import PageInvalid

DEFAULT_LANGUAGE = "en"
_PLACEHOLDER = re.compile(r"\{\{([a-z0-9_.-]+)\}\}")


@dataclass(frozen=True)
class Texts:
    """A language: `name` in itself, `page` for index.html, `script` for its scripts; a text with a count has forms.

    `problems`: title and detail of each kind of problem, by its code; "": the title says it all.
    """

    language: str
    name: str
    page: dict[str, str]
    script: dict[str, str | dict[str, str]]
    problems: dict[str, list[str]]


def load_texts(folder: Path) -> dict[str, Texts]:
    """The texts of each language, by its code. Raises PageInvalid."""
    found = {}
    for file in sorted(folder.glob("*.json")):
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            found[file.stem] = Texts(file.stem, kept["name"], kept["page"], kept["script"], kept["problems"])
        except (ValueError, KeyError, TypeError) as error:
            raise PageInvalid(f"{file.name} is no file of texts: {error!r}") from error
    if DEFAULT_LANGUAGE not in found:
        raise PageInvalid(f"there are no texts in {DEFAULT_LANGUAGE!r}")
    return found


def add_texts(texts: dict[str, Texts], folder: Path) -> dict[str, Texts]:
    """`texts` with those of another page that shares them, from a file for each language. Raises PageInvalid."""
    added = {}
    for language, shared in texts.items():
        file = folder / f"{language}.json"
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            page, script = shared.page | kept["page"], shared.script | kept["script"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PageInvalid(f"{file.name} of {folder.name} is no file of texts: {error!r}") from error
        added[language] = replace(shared, page=page, script=script)
    return added


def fill_in(template: str, values: dict[str, str]) -> str:
    """`template` with every {{key}} replaced by its text, escaped for HTML. Raises PageInvalid for a missing key."""

    def value(match: re.Match[str]) -> str:
        try:
            return escape(values[match[1]])
        except KeyError:
            raise PageInvalid(f"no text {match[1]!r}") from None

    return _PLACEHOLDER.sub(value, template)


def script_json(texts: Texts) -> str:
    """What the scripts say, as JSON that may stand inside of a script element.

    Problems are left out in the service's own language: there it says more, with the names and limits of the case.
    """
    said: dict[str, object] = dict(texts.script)
    for code, (title, detail) in () if texts.language == DEFAULT_LANGUAGE else texts.problems.items():
        said[f"problem.{code}"] = title
        if detail:
            said[f"problem.{code}.detail"] = detail
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def choose_language(known: Sequence[str], wanted: Sequence[str | None], accepted: str) -> str:
    """The first of `wanted` that is known; else what the header Accept-Language prefers; else English.

    `de-AT` is served by `de`. Languages that the browser does not name are never chosen, but for English.
    """
    for name in wanted:
        if name is not None and name in known:
            return name
    ranked = sorted(((_quality(part), -place, part) for place, part in enumerate(accepted.split(","))), reverse=True)
    for quality, _, part in ranked:
        primary = part.split(";")[0].strip().lower().split("-")[0]
        if quality > 0 and primary in known:
            return primary
    return DEFAULT_LANGUAGE


def _quality(part: str) -> float:
    match = re.search(r";\s*q\s*=\s*(\S*)\s*$", part)
    try:
        return float(match[1]) if match else 1.0
    except ValueError:
        return 0.0
