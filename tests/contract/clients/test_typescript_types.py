"""The TypeScript client's generated types against the OpenAPI document of the service as it is."""

from __future__ import annotations

from typing import Any

import pytest

from clients.typescript.write_types import GENERATOR, TYPES, generated, reduced


@pytest.mark.skipif(not GENERATOR.exists(), reason="`make client-types` installs openapi-typescript")
def test_the_types_are_those_of_the_document(document: dict[str, Any]) -> None:
    assert TYPES.read_text(encoding="utf-8") == generated(document), "make client-types"


def test_what_types_are_made_of_keeps_every_route_and_schema(document: dict[str, Any]) -> None:
    made = reduced(document)
    assert made["components"]["schemas"].keys() == document["components"]["schemas"].keys()
    assert made["paths"].keys() == {path for path in document["paths"] if "{gallery}" not in path}
    for path, item in made["paths"].items():
        for method, spec in item.items():
            served = document["paths"][path][method]
            assert [one["name"] for one in spec.get("parameters", [])] == [
                one["name"] for one in served.get("parameters", [])
            ]
            assert spec["responses"].keys() == {code for code in served["responses"] if code < "300"}
