"""The categories of the gallery."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from service.http.json_response import json_response
from service.http.openapi.responses import ok, problem_responses
from service.http.route import api_router
from service.http.schemas.gallery import CATEGORIES_EXAMPLE, Categories, categories_json
from service.http.serving import serving_of

router = api_router("gallery", "search")


@router.get(
    "/v1/categories",
    summary="List the categories",
    response_model=Categories,
    responses=ok("Categories by name", CATEGORIES_EXAMPLE) | problem_responses(),
)
def list_categories(request: Request) -> Response:
    """Photos without a category are in none of them, but in the total."""
    with serving_of(request) as retriever:
        view, one_way = retriever.gallery().view, retriever.index.manifest.one_way_categories
        return json_response(categories_json(view.categories(), view.count, one_way))
