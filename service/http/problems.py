"""The only place where an error becomes an HTTP answer: RFC 9457 problems, one code per kind of error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from index_builder.artifact.errors import CategoryNotFound, FilterInvalid, PhotoNotFound
from models.bundle import ImageTooLarge, ImageUnreadable, ImageUnsupported, SketchEmpty, SketchSolid, StrokesInvalid
from models.errors import InkseekError
from service.errors import (
    AccessDenied,
    AdaptationUnavailable,
    AdapterNotFound,
    AdaptersLimit,
    AdapterStale,
    BatchTooLarge,
    BodyInvalid,
    BodyTimeout,
    BodyTooLarge,
    CategoryAbsent,
    CategoryTooSmall,
    ClientGone,
    CrossSite,
    DeadlineExceeded,
    HostUnknown,
    KeyInvalid,
    KeyRequired,
    NameInvalid,
    NothingToRollBack,
    NotReady,
    OnlinePhotosLimit,
    OnlineUnwritable,
    PairContradictory,
    PairDuplicate,
    ParameterInvalid,
    PhotoElsewhere,
    ProfileAbsent,
    QueueFull,
    ReadOnly,
    SupportMismatch,
    SupportOnePhoto,
    TooManyPairs,
    Unavailable,
    UnknownCategory,
    UnknownPhoto,
    UnknownProfile,
)
from service.runtime.logs import current_request_id

MEDIA_TYPE = "application/problem+json"

_CHALLENGE = 'Bearer realm="Inkseek"'


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its stable code, HTTP status, title, and what a client can do about it."""

    code: str
    status: int
    title: str
    advice: str = ""


KINDS: dict[type[InkseekError], Kind] = {
    SketchEmpty: Kind(
        "sketch_empty", 422, "The sketch is empty", "Draw something; strokes must differ from the paper."
    ),
    SketchSolid: Kind("sketch_solid", 422, "The sketch is all ink", "Send lines on a plain background."),
    StrokesInvalid: Kind(
        "strokes_invalid", 422, "The strokes are no drawing", "See StrokesBody for the accepted forms."
    ),
    ImageTooLarge: Kind("image_too_large", 413, "The image is too large", "Limits are listed in /v1/info."),
    ImageUnsupported: Kind(
        "image_unsupported", 415, "Not an accepted image format", "Send PNG, JPEG, WebP, GIF, BMP or SVG."
    ),
    ImageUnreadable: Kind(
        "image_unreadable", 422, "The image cannot be read", "It is broken, truncated or too complex."
    ),
    BodyTooLarge: Kind("body_too_large", 413, "The request body is too large", "Limits are listed in /v1/info."),
    BodyTimeout: Kind("body_timeout", 408, "The request body took too long to arrive"),
    BodyInvalid: Kind("body_invalid", 422, "The body holds no sketch", "See the accepted request bodies."),
    BatchTooLarge: Kind(
        "batch_too_large", 413, "Too many items in the batch", "Split it; limits are listed in /v1/info."
    ),
    ParameterInvalid: Kind("parameter_invalid", 422, "A parameter is invalid", "`errors` says which and why."),
    FilterInvalid: Kind("filter_invalid", 422, "A filter is invalid", "Filterable fields are listed in /v1/info."),
    UnknownCategory: Kind("unknown_category", 422, "No such category", "Categories are listed in /v1/categories."),
    # Service and index each find this out in their own place; for clients it is one problem.
    CategoryNotFound: Kind("unknown_category", 422, "No such category", "Categories are listed in /v1/categories."),
    PhotoNotFound: Kind("photo_not_found", 404, "No such photo"),
    CategoryAbsent: Kind("category_not_found", 404, "No such category", "Categories are listed in /v1/categories."),
    ProfileAbsent: Kind("profile_not_found", 404, "No such profile", "Profiles are listed in /v1/profiles."),
    AccessDenied: Kind("access_denied", 403, "Access denied", "Use a key that has the scope named in `detail`."),
    ReadOnly: Kind("read_only", 403, "The service is read-only", "It searches; nothing is adapted or written."),
    KeyRequired: Kind(
        "key_required", 401, "An API key is needed", "Send it as `Authorization: Bearer KEY` or as `X-API-Key`."
    ),
    KeyInvalid: Kind("key_invalid", 401, "The API key is not valid", "Ask for another one: `inkseek keys create`."),
    CrossSite: Kind(
        "cross_site", 403, "The request comes from another site", "Its origin has to be in INKSEEK_CORS_ORIGINS."
    ),
    HostUnknown: Kind(
        "host_unknown", 421, "Not a name of this service", "Its name has to be in INKSEEK_ALLOWED_HOSTS."
    ),
    UnknownProfile: Kind("unknown_profile", 422, "No such profile", "Profiles are listed in /v1/profiles."),
    NameInvalid: Kind("name_invalid", 422, "Not a name", "Categories and profiles are named by ordinary text."),
    SupportMismatch: Kind(
        "support_mismatch", 422, "Sketches and photos do not pair up", "Send a photo or photo_id for each sketch."
    ),
    TooManyPairs: Kind("too_many_pairs", 413, "Too many examples", "Limits are listed in /v1/info."),
    UnknownPhoto: Kind("unknown_photo", 422, "An example names no photo", "Photo ids are those that a search answers."),
    PhotoElsewhere: Kind("photo_elsewhere", 422, "A photo is of another category"),
    PairDuplicate: Kind("pair_duplicate", 422, "An example is there twice", "Draw the photo anew for each example."),
    PairContradictory: Kind("pair_contradictory", 422, "One sketch has two photos"),
    SupportOnePhoto: Kind(
        "support_one_photo", 422, "All sketches have the same photo", "Several examples have to show several photos."
    ),
    CategoryTooSmall: Kind("category_too_small", 422, "There is nothing to tell apart", "Bring more photos."),
    AdapterNotFound: Kind("adapter_not_found", 404, "No such adapter"),
    AdapterStale: Kind(
        "adapter_stale", 409, "The adapter is of another bundle", "`inkseek adapters refit` fits it anew."
    ),
    AdaptersLimit: Kind("adapters_limit", 409, "Too many adapters are kept", "Delete one first."),
    OnlinePhotosLimit: Kind("online_photos_limit", 409, "Too many photos were uploaded", "Build them into the index."),
    NothingToRollBack: Kind("nothing_to_roll_back", 409, "No adapter is active"),
    AdaptationUnavailable: Kind(
        "adaptation_unavailable", 409, "The bundle cannot adapt", "Serve a bundle that has an adaptation."
    ),
    OnlineUnwritable: Kind(
        "online_unwritable", 503, "Nothing can be stored", "Give the service a writable INKSEEK_ONLINE_DIR."
    ),
    # nginx's number, for metrics and the log: nobody is left to read the answer.
    ClientGone: Kind("client_gone", 499, "The client went away"),
    QueueFull: Kind("queue_full", 429, "Too many requests are waiting", "Try again after Retry-After seconds."),
    NotReady: Kind("not_ready", 503, "The service is not ready", "The canary sketch is not answered right."),
    DeadlineExceeded: Kind(
        "deadline_exceeded", 503, "The answer took too long", "Try again after Retry-After seconds."
    ),
}
NOT_FOUND = Kind("not_found", 404, "No such resource", "Routes are listed in /docs.")
METHOD_NOT_ALLOWED = Kind("method_not_allowed", 405, "Method not allowed", "The Allow header lists what is.")
HTTP_ERROR = Kind("http_error", 400, "The request cannot be answered")
INTERNAL = Kind(
    "internal_error", 500, "The service failed", "Not the request's fault; the log has it under request_id."
)


def all_kinds() -> list[Kind]:
    """Every kind of problem, each code once, for the reference page."""
    kinds = {kind.code: kind for kind in (*KINDS.values(), NOT_FOUND, METHOD_NOT_ALLOWED, INTERNAL)}
    return sorted(kinds.values(), key=lambda kind: (kind.status, kind.code))


def example(kind: Kind) -> dict[str, Any]:
    """A problem document of that kind, for the documentation."""
    return _document(kind, kind.advice or kind.title, [])


def kind_of(error: InkseekError) -> Kind:
    """The kind of `error`, by its nearest listed class; INTERNAL for what no request can cause."""
    for base in type(error).__mro__:
        if base in KINDS:
            return KINDS[base]
    return INTERNAL


def problem(error: InkseekError) -> dict[str, Any]:
    """The problem document of a typed error, as schemas.problem.Problem describes it."""
    kind = kind_of(error)
    # What an internal error says (paths, versions) is for the log.
    detail = str(error) if kind is not INTERNAL else INTERNAL.title
    faults = getattr(error, "fields", ())
    return _document(kind, detail, [{"where": where, "what": what} for where, what in faults])


def problem_response(error: InkseekError) -> Response:
    """The whole answer to a typed error."""
    headers = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, KeyRequired | KeyInvalid):
        # RFC 6750, section 3: a request without a key is not told of an error.
        headers["WWW-Authenticate"] = _CHALLENGE + (', error="invalid_token"' if isinstance(error, KeyInvalid) else "")
    if isinstance(error, BodyTooLarge | BodyTimeout):
        headers["Connection"] = "close"  # the rest of the body is not worth reading
    return _response(problem(error), headers)


def internal_response() -> Response:
    """The answer to an error that nobody foresaw."""
    return _response(_document(INTERNAL, INTERNAL.title, []))


def install(app: FastAPI) -> None:
    """Make `app` answer every error with a problem."""
    app.add_exception_handler(InkseekError, _on_typed)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameters)
    app.add_exception_handler(HTTPException, _on_http_error)


def _on_typed(request: Request, error: Exception) -> Response:
    assert isinstance(error, InkseekError)
    if kind_of(error) is INTERNAL:
        # To RequestScope, which logs it with its traceback and answers 500.
        raise error
    return problem_response(error)


def _on_invalid_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = []
    for fault in error.errors():
        where = ".".join(str(part) for part in fault["loc"])
        unknown = fault["type"] == "extra_forbidden"
        faults.append((where, "there is no such parameter" if unknown else str(fault["msg"])))
    detail = "; ".join(f"{where}: {what}" for where, what in faults)
    return problem_response(ParameterInvalid(detail, faults))


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}.get(error.status_code)
    if kind is None:
        kind = Kind(HTTP_ERROR.code, error.status_code, HTTP_ERROR.title)
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return _response(_document(kind, detail, []), dict(error.headers or {}))


def _document(kind: Kind, detail: str, faults: list[dict[str, str]]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": f"/docs#problem-{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": kind.code,
    }
    if faults:
        document["errors"] = faults
    if request_id := current_request_id():
        document["request_id"] = request_id
    return document


def _response(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(document), document["status"], headers, media_type=MEDIA_TYPE)
