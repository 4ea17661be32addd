"""Feedback: which photo a sketch was meant to find. Collected where `feedback` is set, listed, deleted."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from index_builder.artifact import PhotoNotFound
from service.adaptation.feedback import collect
from service.errors import (
    FeedbackNotFound,
    FeedbackOff,
    FeedbackUnusable,
    OnlineFull,
    OnlineTargetsLimit,
    OnlineUnwritable,
)
from service.http.forms.body import sketch_bytes
from service.http.json_response import json_response
from service.http.openapi.request_bodies import SKETCH_BODY
from service.http.openapi.responses import created, ok, problem_responses
from service.http.route import api_router
from service.http.routes.search import SKETCH_ERRORS, TRAFFIC_ERRORS
from service.http.schemas.adaptation.feedback import (
    FEEDBACK_EXAMPLE,
    Feedback,
    FeedbackList,
    FeedbackParams,
    FeedbackScope,
    feedback_json,
)
from service.http.serving import answer_job, read_upload, serving_of
from service.http.tenancy import gallery_of
from service.search.retriever import Retriever
from service.store.feedback.pairs import FeedbackLimits, FeedbackRecord, FeedbackStore

router = api_router("adaptation", "adapt")

FeedbackId = Annotated[str, Path(description="A pair's id.", examples=["feedback-5f0c2d9a71be"])]


@router.post(
    "/v1/feedback",
    summary="Say which photo a sketch was meant to find",
    status_code=201,
    response_model=Feedback,
    responses=created("The pair, kept", FEEDBACK_EXAMPLE)
    | problem_responses(
        *SKETCH_ERRORS,
        *TRAFFIC_ERRORS,
        PhotoNotFound,
        FeedbackOff,
        FeedbackUnusable,
        OnlineFull,
        OnlineTargetsLimit,
        OnlineUnwritable,
    ),
    openapi_extra=SKETCH_BODY,
)
async def add_feedback(request: Request, params: Annotated[FeedbackParams, Query()]) -> Response:
    """The body is the sketch, as it was sent to the search; searches themselves are not kept.

    Pairs are collected for the photo's category, the newest ones up to `max_feedback`. Nothing is adapted by them until
    somebody does that: `inkseek adapters suggest` says where it would pay.
    """
    reject_when_off(request)
    upload = await read_upload(request)

    def job(retriever: Retriever) -> FeedbackRecord:
        return collect(retriever, feedback_of(request, retriever), params.photo_id, sketch_bytes(upload))

    return json_response(feedback_json(await answer_job(request, job, aside=True)), 201)


@router.get(
    "/v1/feedback",
    summary="List the feedback",
    response_model=FeedbackList,
    responses=ok("The newest first", {"feedback": [FEEDBACK_EXAMPLE]}) | problem_responses(),
)
def list_feedback(request: Request, params: Annotated[FeedbackScope, Query()]) -> Response:
    """The pairs, without their sketches; also while none is collected any more."""
    with serving_of(request) as retriever:
        records = feedback_of(request, retriever).records(params.category)
    return json_response({"feedback": [feedback_json(record) for record in records]})


@router.delete(
    "/v1/feedback",
    summary="Delete feedback",
    status_code=204,
    responses=problem_responses(OnlineUnwritable),
)
def clear_feedback(request: Request, params: Annotated[FeedbackScope, Query()]) -> Response:
    """Of one category, or all of it. Adapters that were fitted to it stay."""
    with serving_of(request) as retriever:
        feedback_of(request, retriever).clear(params.category)
    return Response(status_code=204)


@router.delete(
    "/v1/feedback/{feedback_id}",
    summary="Delete one pair of feedback",
    status_code=204,
    responses=problem_responses(FeedbackNotFound, OnlineUnwritable),
)
def delete_feedback(request: Request, feedback_id: FeedbackId) -> Response:
    """With its sketch."""
    with serving_of(request) as retriever:
        feedback_of(request, retriever).delete(feedback_id)
    return Response(status_code=204)


def reject_when_off(request: Request) -> None:
    """Raises FeedbackOff."""
    if not gallery_of(request).settings.feedback:
        raise FeedbackOff("this service collects no feedback: INKSEEK_FEEDBACK is not set")


def feedback_of(request: Request, retriever: Retriever) -> FeedbackStore:
    """The feedback of the gallery that is served, within its limits."""
    settings = gallery_of(request).settings
    limits = FeedbackLimits(settings.max_feedback, settings.max_online_targets, settings.max_online_bytes)
    return FeedbackStore(retriever.store.folder, limits)
