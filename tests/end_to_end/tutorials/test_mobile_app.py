"""The Swift and Kotlin of the mobile tutorial: they parse, and they name what the OpenAPI document has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_kotlin
import tree_sitter_swift
from tree_sitter import Language, Node, Parser

from service.app import create_app
from service.config import load_settings
from tests.end_to_end.tutorials.page_runner import TUTORIALS, blocks_of

LANGUAGES = {"swift": tree_sitter_swift.language, "kotlin": tree_sitter_kotlin.language}
FILES = {title: (language, code) for language, title, code in blocks_of(TUTORIALS / "mobile_app.md") if title}
READ = ("Hit", "SearchAnswer", "Problem")
"""Structs and classes of both files, named as the schemas of the document."""


def flaws_of(node: Node) -> list[str]:
    here = [f"line {node.start_point.row + 1}: {node.type}"] if node.is_error or node.is_missing else []
    return here + [flaw for child in node.children for flaw in flaws_of(child)]


def flaws_in(language: str, code: str) -> list[str]:
    return flaws_of(Parser(Language(LANGUAGES[language]())).parse(code.encode()).root_node)


def fields_read(language: str, code: str, name: str) -> set[str]:
    """The properties of a struct or data class of that name."""
    pattern = rf"struct {name}: Decodable \{{(.*?)\n\}}" if language == "swift" else rf"data class {name}\((.*?)\)\n"
    found = re.search(pattern, code, re.DOTALL)
    assert found, f"{name} is not in the page"
    return set(re.findall(r"(?:let|val) (\w+):", found[1]))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(load_settings({}, index=Path("nowhere"))).openapi()


def test_both_languages_are_there() -> None:
    assert sorted(FILES) == ["Inkseek.kt", "Inkseek.swift", "SketchBoard.kt", "SketchBoard.swift"]


@pytest.mark.parametrize("title", sorted(FILES))
def test_the_code_parses(title: str) -> None:
    language, code = FILES[title]
    assert flaws_in(language, code) == []
    assert flaws_in(language, code.replace("(", "", 1)) != []


@pytest.mark.parametrize("title", ["Inkseek.kt", "Inkseek.swift"])
def test_it_reads_fields_that_answers_have(title: str, document: dict[str, Any]) -> None:
    language, code = FILES[title]
    schemas = document["components"]["schemas"]
    for name in READ:
        read = fields_read(language, code, name)
        assert read
        assert read <= set(schemas[name]["properties"])


@pytest.mark.parametrize("title", ["Inkseek.kt", "Inkseek.swift"])
def test_it_calls_a_route_that_takes_what_it_sends(title: str, document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/search"]["post"]
    assert "v1/search" in FILES[title][1]
    assert {"k", "category"} <= {parameter["name"] for parameter in operation["parameters"]}
    assert "drawing" in FILES[title][1]
    assert "drawing" in document["components"]["schemas"]["DrawingBody"]["properties"]
    assert document["components"]["securitySchemes"]
