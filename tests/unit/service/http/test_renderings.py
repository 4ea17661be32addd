"""Records as JSON: every rendering fits its schema, and every documented example is one."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from index_builder.artifact import PhotoRecord
from service.adaptation.adapt import dry_run_record
from service.adaptation.listing import ProfileRecord
from service.config import Settings
from service.errors import ParameterInvalid, QueueFull, UnknownCategory
from service.http import problem_kinds, problems
from service.http.json_response import AnswerWriter, json_bytes, json_response
from service.http.openapi.responses import problem_responses
from service.http.reference.page import render
from service.http.routes.info import limits_of
from service.http.schemas import answers, gallery, operation, search
from service.http.schemas.adaptation import adapters
from service.http.schemas.base import PhotoUrls
from service.http.schemas.problem import PROBLEM_EXAMPLE, Problem
from service.search.query import SearchQuery
from service.search.results import RankedPhoto, SearchResult
from service.store.records import AdapterRecord, AdapterTarget, NewAdapter

MakeAdapter = Callable[..., NewAdapter]


def photo(photo_id: str = "a b/1.png", **metadata: Any) -> PhotoRecord:
    return PhotoRecord(3, photo_id, "a b", photo_id, "0" * 64, 12, 9, metadata)


def adapter(scope: str, state: str = "active", **changes: Any) -> AdapterRecord:
    target = AdapterTarget("category" if scope == "category" else "profile", "n")
    figures = {"acc_at_1": 0.5, "mean_rank": 2.0, "mrr": 0.75}
    values: dict[str, Any] = {
        "adapter_id": "adapter-1",
        "target": target,
        "version": 3,
        "bundle_id": "b",
        "adaptation_id": "a",
        "method": "m",
        "k": 2,
        "margin": None,
        "leave_one_out": {"before": figures, "after": figures},
        "activated": True,
        "reason": "r",
        "created_at": "2026-01-01T00:00:00Z",
        "photos_added": ("online/1",),
        "timings_ms": {"fit": 1.23456},
        "state": state,
    }
    return AdapterRecord(**{**values, **changes})


def test_a_search_result() -> None:
    hits = [RankedPhoto(photo(price=1.5, name=None), 0.12345678, 1), RankedPhoto(photo("é/2"), -1.0, 2)]
    document = answers.search_json(
        SearchResult(hits, "b", "v", {"total": 1.23456}, "adapter", "adapter-1", None), PhotoUrls()
    )
    answer = answers.SearchAnswer.model_validate(document)
    assert (answer.results[0].score, answer.results[0].metadata) == (0.123457, {"price": 1.5})
    assert answer.results[0].thumbnail_url == "/v1/photos/a%20b/1.png/thumbnail"
    assert answer.results[1].image_url == "/v1/photos/%C3%A9/2/image"
    assert (answer.adapted, answer.adapter_id, answer.timings_ms.total) == ("adapter", "adapter-1", 1.235)
    assert ([hit.confidence for hit in answer.results], answer.no_good_match) == ([None, None], None)


def test_a_search_result_with_confidences() -> None:
    hits = [RankedPhoto(photo(), 0.5, 1, confidence=0.12345678), RankedPhoto(photo("b"), 0.25, 2, confidence=0.0)]
    answer = answers.SearchAnswer.model_validate(
        answers.search_json(SearchResult(hits, "b", "v", {"total": 1.0}, no_good_match=True), PhotoUrls())
    )
    assert ([hit.confidence for hit in answer.results], answer.no_good_match) == ([0.1235, 0.0], True)


@pytest.mark.parametrize("score", [0.12345678, 1.0, -1.0, 0.0, 2e-6, -0.0000014, math.nan])
def test_an_answer_written_from_pieces_is_the_rendered_one(score: float) -> None:
    hits = [
        RankedPhoto(
            photo(price=1.5, name=None, text='"é"\n', weight=math.inf, tags=("a", "b")), score, 1, True, 0.98765
        ),
        RankedPhoto(photo("é/thumbnail"), score, 2, confidence=0.0),
        RankedPhoto(photo("c", flag=False), score, 3),
    ]
    result = SearchResult(hits, "b", "v", {"total": 1.23456, "search": 0.5}, "none", None, "style", True, "cursor")
    writer = AnswerWriter()
    for urls in (PhotoUrls(), PhotoUrls("/a/v1"), PhotoUrls("/a/v1", frozenset(["a b/1.png/image"]))):
        rendered = json.loads(json_bytes(answers.search_json(result, urls)))
        for _ in range(2):  # made, then kept
            written = json.loads(writer.written(result, urls))
            assert written == rendered
            assert list(written) == list(rendered)
            assert [list(hit) for hit in written["results"]] == [list(hit) for hit in rendered["results"]]


def test_a_photo_that_was_described_anew_is_written_anew() -> None:
    writer = AnswerWriter()
    for price in (1.0, 2.0):
        result = SearchResult([RankedPhoto(photo(price=price), 0.5, 1)], "b", "v", {"total": 1.0})
        assert json.loads(writer.written(result, PhotoUrls()))["results"][0]["metadata"] == {"price": price}


def test_an_answer_without_results_and_one_of_groups() -> None:
    nothing = SearchResult([], "b", "v", {"total": 1.0})
    others = ((photo("other"), 0.25),)
    groups = SearchResult([RankedPhoto(photo(), 0.5, 1, duplicates=others)], "b", "v", {"total": 1.0})
    for result in (nothing, groups):
        assert AnswerWriter().written(result, PhotoUrls()) == json_bytes(answers.search_json(result, PhotoUrls()))


def test_a_photo_and_the_categories() -> None:
    shown = gallery.Photo.model_validate(gallery.photo_json(photo(kind="x", none=None), PhotoUrls()))
    assert (shown.category, shown.width, shown.height, shown.metadata) == ("a b", 12, 9, {"kind": "x"})
    counted = gallery.Categories.model_validate(gallery.categories_json({"a": 1, "b": 2}, 4))
    assert ([entry.count for entry in counted.categories], counted.total) == ([1, 2], 4)


def test_adapters_of_both_scopes() -> None:
    for scope, other in (("category", "profile"), ("profile", "category")):
        shown = adapters.Adapter.model_validate(adapters.adapter_json(adapter(scope)))
        assert (getattr(shown, scope), getattr(shown, other)) == ("n", None)
        assert (shown.adapter_id, shown.version, shown.photos_added) == ("adapter-1", 3, ["online/1"])
        assert shown.timings_ms == {"fit": 1.235}
    listed = [adapter("category", "idle", adapter_id="adapter-2"), adapter("category")]
    assert adapters.Adapters.model_validate(adapters.adapters_json(listed)).active == "adapter-1"
    assert adapters.adapters_json([])["active"] is None


def test_a_dry_run_has_neither_id_nor_version(make_adapter: MakeAdapter) -> None:
    document = adapters.adapter_json(dry_run_record(make_adapter()))
    shown = adapters.Adapter.model_validate(document)
    assert (shown.adapter_id, shown.version, shown.state, shown.activated) == (None, None, "idle", False)


def test_profiles() -> None:
    document = adapters.profiles_json([ProfileRecord("ada", None, 2), ProfileRecord("bea", "adapter-1", 1)])
    shown = adapters.Profiles.model_validate(document)
    assert [(one.profile, one.active, one.adapters) for one in shown.profiles] == [
        ("ada", None, 2),
        ("bea", "adapter-1", 1),
    ]


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        (answers.SearchAnswer, answers.SEARCH_EXAMPLE),
        (answers.SearchAnswer, answers.SIMILAR_EXAMPLE),
        (answers.BatchAnswer, answers.BATCH_EXAMPLE),
        (gallery.Photo, gallery.PHOTO_EXAMPLE),
        (gallery.Categories, gallery.CATEGORIES_EXAMPLE),
        (adapters.Adapter, adapters.ADAPTER_EXAMPLE),
        (adapters.Adapter, adapters.STYLE_ADAPTER_EXAMPLE),
        (adapters.Adapter, adapters.dry_run_example(adapters.ADAPTER_EXAMPLE)),
        (adapters.Profiles, adapters.PROFILES_EXAMPLE),
        (operation.Info, operation.INFO_EXAMPLE),
        (operation.Readiness, operation.READY_EXAMPLE),
        (Problem, PROBLEM_EXAMPLE),
    ],
)
def test_examples_have_every_field_of_their_schema(schema: Any, example: dict[str, Any]) -> None:
    assert schema.model_validate(example)
    unknown = {**example, "unknown": 1}
    with pytest.raises(ValidationError):
        schema.model_validate(unknown)


def test_parameters_become_a_query() -> None:
    narrowing = search.NarrowingParams(k=3, category=("a",), filter=("x=1",), min_score=0.5, exact=True)
    assert narrowing.to_query() == SearchQuery(3, ("a",), ("x=1",), 0.5, True)
    decomposed = search.SearchParams(profile="A\u0308da", adapt=False).to_query()
    assert (decomposed.profile, decomposed.adapt, decomposed.k) == ("\u00c4da", False, 10)


def test_limits_are_the_settings() -> None:
    settings = Settings(index="x", max_pairs=7, max_adapters=9, max_upload_bytes=5_000)
    limits = limits_of(settings)
    assert (limits.max_pairs, limits.max_adapters, limits.max_upload_bytes, limits.max_k) == (7, 9, 5_000, 200)


def test_json_is_written_once() -> None:
    assert json_bytes({"a": float("nan"), "b": "é"}) == '{"a":null,"b":"é"}'.encode()
    assert json_response(b'{"made":"in a thread"}').body == b'{"made":"in a thread"}'
    created = json_response({"a": 1}, 201)
    assert (created.status_code, created.body, created.media_type) == (201, b'{"a":1}', "application/json")


def test_problem_responses_list_each_kind_once() -> None:
    responses = problem_responses(ParameterInvalid, UnknownCategory, QueueFull)
    assert set(responses) == {422, 429, 500}
    assert responses[422]["description"].count("parameter_invalid") == 1
    assert set(responses[422]["content"][problems.MEDIA_TYPE]["examples"]) == {"parameter_invalid", "unknown_category"}
    assert "Retry-After" in responses[429]["headers"]
    assert set(problem_responses()) == {422, 500}


def test_the_reference_page_escapes_what_it_shows() -> None:
    operation_ = {
        "operationId": "find",
        "tags": ["search"],
        "summary": "Find <b>",
        "description": "With `k` & more",
        "parameters": [
            {"name": "k", "in": "query", "description": "How many", "schema": {"minimum": 1, "default": 10}}
        ],
        "requestBody": {
            "description": "A sketch",
            "content": {"application/json": {"example": {"points": []}}, "multipart/form-data": {}, "image/png": {}},
        },
        "responses": {
            "200": {"description": "Photos", "content": {"application/json": {"example": {"a": "<script>"}}}}
        },
    }
    document = {
        "info": {"title": "T", "version": "1", "description": "d"},
        "tags": [{"name": "search", "description": "s"}],
        "paths": {"/v1/search": {"post": operation_}},
    }
    page = render(document, "http://host/")
    assert "<script>" not in page and "&lt;script&gt;" in page and "Find &lt;b&gt;" in page
    assert "<code>k</code> &amp; more" in page and "(at least 1, default 10)" in page
    assert "curl --json" in page and "http://host/v1/search" in page and "--data-binary" in page
    for kind in problem_kinds.all_kinds():
        assert f'id="problem-{kind.code}"' in page
    assert json.dumps(kind.status) in page
