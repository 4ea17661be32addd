"""The Python client against the OpenAPI document: its schemas, and every request that its methods make."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from inkseek_client import Client, Delete, Describe, Profile, Retries, ServiceProblem, Upload, schemas
from inkseek_client.errors import RequestInvalid, ServiceFailed
from inkseek_client.problems import error_of
from inkseek_client.schemas.base import Schema
from inkseek_client.schemas.problem import Problem
from service.http.problem_kinds import all_kinds
from service.http.problems import example
from tests.contract.clients.documented import NOT_CALLED, OF_NO_GALLERY, SUFFIXED, Documented

NOT_ANSWERED = {"Alive", "JsonValue"}
"""Schemas of answers that the client has no method or no class for: `ready` says more than /livez."""
STROKES = [[[45, 80], [45, 32]]]
CALLS: dict[str, Callable[[Client], Any]] = {
    "search": lambda c: c.search(
        STROKES, 3, category=["a", "b"], filter="x=1", text="red", min_score=0.1, exact=True, group_duplicates=False,
        adapt=False, profile="ada", focus="kind", mirror="true", frame="false", cursor="abc",
    ),
    "iter_search": lambda c: next(c.iter_search(b"png")),
    "search_batch": lambda c: c.search_batch([b"png", STROKES], 3, focus="detail"),
    "search_vector": lambda c: c.search_vector([0.6, 0.8], "b-1", 3, mirrored=[0.8, 0.6], category="a", cursor="abc"),
    "encoder": lambda c: c.encoder(),
    "encoder_file": lambda c: c.encoder_file("b-1"),
    "preview": lambda c: c.preview(b"png", "true", category="shoe", focus="detail"),
    "similar": lambda c: c.similar("a/b.jpg", category="a"),
    "iter_similar": lambda c: next(c.iter_similar("a/b.jpg", filter=["x=1", "y=2"])),
    "photos": lambda c: c.photos(5, cursor="abc", category="a", filter="x=1", text="b", fields=["photo_id", "sha256"]),
    "iter_photos": lambda c: next(c.iter_photos()),
    "photo": lambda c: c.photo("a/b.jpg"),
    "thumbnail": lambda c: c.thumbnail("a/b.jpg"),
    "image": lambda c: c.image("a/b.jpg"),
    "put_photo": lambda c: c.put_photo("a/b.jpg", b"jpeg", category="a", metadata={"x": 1}),
    "describe_photo": lambda c: c.describe_photo("a/b.jpg", category="", metadata={"x": None}),
    "delete_photo": lambda c: c.delete_photo("a/b.jpg"),
    "change_photos": lambda c: c.change_photos([Upload("a", b"jpeg", "c", {"x": 1}), Describe("b", "c"), Delete("d")]),
    "categories": lambda c: c.categories(),
    "galleries": lambda c: c.galleries(),
    "adapt": lambda c: c.adapt("a/b", [(b"png", "id"), (STROKES, b"jpeg")], photos=["id"], force=True, dry_run=True),
    "adapt_deep": lambda c: c.adapt_deep("a/b", [(b"png", "id"), (STROKES, "id-2")], force=True),
    "adapters": lambda c: c.adapters(Profile("ada")),
    "adapter": lambda c: c.adapter("a", "adapter-1"),
    "activate_adapter": lambda c: c.activate_adapter(Profile("ada"), "adapter-1"),
    "rollback_adapter": lambda c: c.rollback_adapter("a"),
    "delete_adapter": lambda c: c.delete_adapter("a", "adapter-1", photos=True),
    "profiles": lambda c: c.profiles(),
    "add_feedback": lambda c: c.add_feedback(b"png", "a/b.jpg"),
    "feedback": lambda c: c.feedback("a"),
    "delete_feedback": lambda c: c.delete_feedback("feedback-1"),
    "clear_feedback": lambda c: c.clear_feedback("a"),
    "rebuild_index": lambda c: c.rebuild_index(photos=False),
    "jobs": lambda c: c.jobs(),
    "job": lambda c: c.job("job-1"),
    "cancel_job": lambda c: c.cancel_job("job-1"),
    "versions": lambda c: c.versions(),
    "info": lambda c: c.info(),
    "ready": lambda c: c.ready(),
    "metrics": lambda c: c.metrics(),
    "keys": lambda c: c.keys(),
    "create_key": lambda c: c.create_key("ada", ["search"], galleries=["shoes"], rate_limit="10/second"),
    "revoke_key": lambda c: c.revoke_key("5f0c2d9a71be"),
}  # fmt: skip
COMPOSED = {"search_folder", "wait_for", "in_gallery", "close"}
"""Methods of no request of their own; the tests over a real service have them."""


def client_schemas() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for module in pkgutil.iter_modules(schemas.__path__):
        loaded = importlib.import_module(f"{schemas.__name__}.{module.name}")
        found |= {
            name: kind
            for name, kind in inspect.getmembers(loaded, inspect.isclass)
            if issubclass(kind, Schema) and kind is not Schema
        }
    return found


def kinds_of(schema: dict[str, Any]) -> set[str]:
    """The JSON types and the names of schemas that a property may have, `[]` and `{}` for what they hold."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return {"any"} if name == "JsonValue" else {name}
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return set().union(*(kinds_of(one) for one in schema[several]))
    if schema.get("type") == "array":
        return {f"[{kind}]" for kind in kinds_of(schema["items"])}
    if schema.get("type") == "object":
        held = schema.get("additionalProperties", True)
        return {f"{{{kind}}}" for kind in ({"any"} if held is True else kinds_of(held))}
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return set(map(str, allowed)) if allowed else {schema.get("type", "any")}


@pytest.mark.parametrize("name", sorted(client_schemas()))
def test_every_field_is_in_the_document_with_its_type_and_required_flag(document: dict[str, Any], name: str) -> None:
    known, served = client_schemas()[name].model_json_schema(), document["components"]["schemas"][name]
    assert known["properties"].keys() == served["properties"].keys()
    # Where the client has a default, the document may not say that the field always comes, and the other way round.
    assert set(known.get("required", [])) == set(served.get("required", []))
    for field, schema in known["properties"].items():
        assert kinds_of(schema) == kinds_of(served["properties"][field]), field


def test_every_schema_of_an_answer_is_known(document: dict[str, Any]) -> None:
    answers: set[str] = set()

    def visit(node: Any) -> None:
        for name in re.findall(r"#/components/schemas/(\w+)", json.dumps(node)):
            if name not in answers:
                answers.add(name)
                visit(document["components"]["schemas"][name])

    for item in document["paths"].values():
        for spec in item.values():
            visit(spec["responses"])
    assert answers - NOT_ANSWERED == client_schemas().keys()


@pytest.fixture
def documented(document: dict[str, Any]) -> Documented:
    return Documented(document)


@pytest.mark.parametrize("gallery", [None, "shoes"])
@pytest.mark.parametrize("method", sorted(CALLS))
def test_a_method_requests_a_documented_route_and_reads_its_example(
    documented: Documented, method: str, gallery: str | None
) -> None:
    transport = httpx.MockTransport(documented)
    with Client("http://inkseek.test", gallery=gallery, retries=Retries(1), transport=transport) as client:
        CALLS[method](client)
    assert len(documented.called) == 1
    path = documented.called[0][1]
    assert path.startswith("/v1/galleries/{gallery}/") == (gallery is not None and path not in OF_NO_GALLERY)


def test_every_method_is_tried_and_every_route_is_called(documented: Documented) -> None:
    public = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    assert public == CALLS.keys() | COMPOSED
    with Client("http://inkseek.test", transport=httpx.MockTransport(documented)) as client:
        for call in CALLS.values():
            call(client)
        for target in ("a", Profile("ada")):
            client.adapt(target, [(b"png", "id")])
            client.adapters(target)
            client.adapter(target, "adapter-1")
            client.activate_adapter(target, "adapter-1")
            client.rollback_adapter(target)
            client.delete_adapter(target, "adapter-1")
    every = {
        (method, path) for method, path, _, _ in documented.routes if not path.startswith("/v1/galleries/{gallery}/")
    }
    assert every - set(documented.called) == NOT_CALLED | {("get", path) for path in SUFFIXED}


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.code)
def test_every_problem_of_the_service_has_an_error(kind: Any) -> None:
    error = error_of(Problem.model_validate(example(kind)))
    assert (error.code, error.status) == (kind.code, kind.status)
    assert type(error) is not ServiceProblem
    assert isinstance(error, ServiceFailed) == (kind.status >= 500 and kind.status != 503)
    assert kind.status not in (413, 422) or isinstance(error, RequestInvalid)
