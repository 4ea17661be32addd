"""The reader of query parameters answers as FastAPI does, which it stands in for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from service.http.query_params import QueryReader
from service.http.schemas.adaptation.adapters import AdaptParams
from service.http.schemas.search import SearchParams


def shown(faults: Any) -> list[tuple[list[str], str]]:
    return [([str(part) for part in fault["loc"]], fault["msg"]) for fault in faults]


@pytest.fixture(scope="module")
def fastapi() -> Iterator[TestClient]:
    """The same schema, read by FastAPI itself."""
    app = FastAPI()

    @app.get("/")
    async def read(params: Annotated[SearchParams, Query()]) -> Any:
        return params.model_dump(mode="json")

    @app.exception_handler(RequestValidationError)
    async def rejected(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return JSONResponse(shown(error.errors()), 422)

    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(
    "query",
    [
        "",
        "k=3",
        "k=3&k=4",
        "category=a&category=b%20c&category=",
        "filter=price%3E%3D10&exact=true&adapt=0",
        "min_score=0.5&profile=%C3%A9",
        "profile=",
        "k=",
        "k=three",
        "k=0&min_score=2",
        "min_score=nan",
        "forse=1",
        "forse=1&forse=2&k=x",
        "focus=everything&mirror=maybe",
        "category=" + "x" * 300,
        "k=3&&=",
        "k",
        "%6b=7",
        "profile=a+b%2Bc",
        "exact=yes&exact=no",
    ],
)
def test_as_fastapi_reads_them(fastapi: TestClient, query: str) -> None:
    expected = fastapi.get(f"/?{query}")
    reader = QueryReader(SearchParams)
    for _ in range(2):  # what was read once is kept
        if expected.status_code == 200:
            assert reader.read(query.encode()).model_dump(mode="json") == expected.json()
        else:
            with pytest.raises(RequestValidationError) as caught:
                reader.read(query.encode())
            assert [list(fault) for fault in shown(caught.value.errors())] == expected.json()


def test_equal_strings_share_their_parameters_and_long_ones_are_not_kept() -> None:
    reader = QueryReader(AdaptParams)
    assert reader.read(b"force=true") is reader.read(b"force=true")
    long = b"force=true" + b"&force=true" * 100
    assert reader.read(long) == reader.read(long)
    assert reader.read(long) is not reader.read(long)
