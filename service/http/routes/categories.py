"""The categories of the gallery."""

from __future__ import annotations

from fastapi import APIRouter, Request

from service.http import examples
from service.http.openapi import ok, problem_responses
from service.http.requests import process_of
from service.http.schemas.search import Categories, CategoryCount

router = APIRouter(tags=["gallery"])


@router.get(
    "/v1/categories",
    summary="List the categories",
    responses=ok("Categories by name", examples.CATEGORIES) | problem_responses(),
)
def categories(request: Request) -> Categories:
    """Photos without a category are in none of them, but in the total."""
    with process_of(request).serving.borrow() as retriever:
        view = retriever.gallery().view
        counts = [CategoryCount(category=name, count=count) for name, count in view.categories().items()]
        return Categories(categories=counts, total=view.count)
