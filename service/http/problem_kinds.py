"""Every kind of problem: its code, status and advice, and the error that it stands for."""

from __future__ import annotations

from dataclasses import dataclass

from index_builder.artifact import StoreUnavailable
from index_builder.artifact.errors import CategoryNotFound, FilterInvalid, PhotoNotFound
from models.bundle import ImageTooLarge, ImageUnreadable, ImageUnsupported, SketchEmpty, SketchSolid, StrokesInvalid
from models.errors import InkseekError
from service.access.errors import KeyNotFound, KeysUnreadable, KeysUnwritable
from service.changes.errors import JobNotFound, JobOver, JobsLimit, MetadataInvalid
from service.errors import (
    AccessDenied,
    AdaptationUnavailable,
    AdapterFileInvalid,
    AdapterNotFound,
    AdaptersLimit,
    AdapterStale,
    BatchTooLarge,
    BodiesTooLarge,
    BodyInvalid,
    BodyTimeout,
    BodyTooLarge,
    CategoryAbsent,
    CategoryTooSmall,
    ClientGone,
    CrossSite,
    CursorInvalid,
    CursorStale,
    DeadlineExceeded,
    EncoderDiffers,
    EncoderWithheld,
    EncodingUnsupported,
    FeedbackNotFound,
    FeedbackOff,
    FeedbackUnusable,
    GalleryAbsent,
    GalleryUnavailable,
    HostUnknown,
    KeyInvalid,
    KeyRequired,
    NameInvalid,
    NothingToRollBack,
    NotReady,
    OnlineFull,
    OnlinePhotosLimit,
    OnlineTargetsLimit,
    OnlineUnreadable,
    OnlineUnwritable,
    PairContradictory,
    PairDuplicate,
    ParameterInvalid,
    PhotoElsewhere,
    ProfileAbsent,
    QueueFull,
    RateLimited,
    ReadOnly,
    SupportMismatch,
    SupportOnePhoto,
    TooManyPairs,
    UnknownCategory,
    UnknownPhoto,
    UnknownProfile,
    VectorInvalid,
)


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its stable code, HTTP status, title, and what a client can do about it."""

    code: str
    status: int
    title: str
    advice: str = ""


# nginx's number, for metrics and the log: nobody is left to read the answer.
CLIENT_GONE = Kind("client_gone", 499, "The client went away")

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
    BodyInvalid: Kind("body_invalid", 422, "The body is in no accepted form", "See the accepted request bodies."),
    EncodingUnsupported: Kind(
        "encoding_unsupported", 415, "Not an accepted Content-Encoding", "Accept-Encoding lists what is accepted."
    ),
    VectorInvalid: Kind(
        "vector_invalid", 422, "Not an embedding of a sketch", "`/v1/encoder` says how one is made for this service."
    ),
    EncoderDiffers: Kind(
        "encoder_differs", 409, "The vector is of another bundle", "Encode again with the one that `/v1/encoder` names."
    ),
    EncoderWithheld: Kind(
        "encoder_withheld", 404, "No encoder to download", "Send the sketch; INKSEEK_ENCODER_DOWNLOAD may allow it."
    ),
    BatchTooLarge: Kind(
        "batch_too_large", 413, "Too many items in the batch", "Split it; limits are listed in /v1/info."
    ),
    ParameterInvalid: Kind("parameter_invalid", 422, "A parameter is invalid", "`errors` says which and why."),
    FilterInvalid: Kind("filter_invalid", 422, "A filter is invalid", "Filterable fields are listed in /v1/info."),
    CursorInvalid: Kind("cursor_invalid", 422, "Not a cursor of this query", "Send `next_cursor` as it was answered."),
    CursorStale: Kind("cursor_stale", 410, "The gallery has changed since", "Begin again without a cursor."),
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
    KeyNotFound: Kind("key_not_found", 404, "No such key", "Keys are listed in /v1/keys."),
    # For clients the same as of the online store: what the service keeps beside its index is unavailable.
    KeysUnreadable: Kind(
        "online_unreadable", 503, "Adapters and uploads cannot be read", "Searches without them are answered."
    ),
    KeysUnwritable: Kind(
        "online_unwritable", 503, "Nothing can be stored", "Give the service a writable INKSEEK_ONLINE_DIR."
    ),
    CrossSite: Kind(
        "cross_site", 403, "The request comes from another site", "Its origin has to be in INKSEEK_CORS_ORIGINS."
    ),
    HostUnknown: Kind(
        "host_unknown", 421, "Not a name of this service", "Its name has to be in INKSEEK_ALLOWED_HOSTS."
    ),
    UnknownProfile: Kind("unknown_profile", 422, "No such profile", "Profiles are listed in /v1/profiles."),
    NameInvalid: Kind("name_invalid", 422, "Not a name", "Photos, categories and profiles are named by ordinary text."),
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
    OnlineTargetsLimit: Kind(
        "online_targets_limit", 507, "Too many categories and profiles have adapters", "Delete adapters first."
    ),
    OnlineFull: Kind("online_full", 507, "The online store is full", "Delete adapters with their photos first."),
    OnlineUnreadable: Kind(
        "online_unreadable", 503, "Adapters and uploads cannot be read", "Searches without them are answered."
    ),
    MetadataInvalid: Kind("metadata_invalid", 422, "Metadata does not fit", "Fields are listed in /v1/info."),
    JobNotFound: Kind("job_not_found", 404, "No such job", "Jobs are listed in /v1/jobs."),
    JobOver: Kind("job_over", 409, "The job has ended"),
    JobsLimit: Kind("jobs_limit", 409, "Too many jobs are under way", "Wait for one to end, or cancel it."),
    NothingToRollBack: Kind("nothing_to_roll_back", 409, "No adapter is active"),
    AdapterFileInvalid: Kind("adapter_file_invalid", 422, "The file is no exported adapter"),
    FeedbackOff: Kind("feedback_off", 403, "No feedback is collected", "INKSEEK_FEEDBACK turns it on."),
    FeedbackUnusable: Kind("feedback_unusable", 422, "No adapter could be fitted to it", "Name a photo of a category."),
    FeedbackNotFound: Kind("feedback_not_found", 404, "No such feedback"),
    AdaptationUnavailable: Kind(
        "adaptation_unavailable", 409, "The bundle cannot adapt", "Serve a bundle that has an adaptation."
    ),
    OnlineUnwritable: Kind(
        "online_unwritable", 503, "Nothing can be stored", "Give the service a writable INKSEEK_ONLINE_DIR."
    ),
    ClientGone: CLIENT_GONE,
    BodiesTooLarge: Kind(
        "bodies_too_large", 429, "Too many large requests at once", "Try again after Retry-After seconds."
    ),
    RateLimited: Kind("rate_limited", 429, "Too many requests", "Try again after Retry-After seconds."),
    QueueFull: Kind("queue_full", 429, "Too many requests are waiting", "Try again after Retry-After seconds."),
    GalleryAbsent: Kind("gallery_not_found", 404, "No such gallery", "Galleries are listed in /v1/galleries."),
    GalleryUnavailable: Kind(
        "gallery_unavailable", 503, "The gallery is not available", "Others are; try again after Retry-After seconds."
    ),
    StoreUnavailable: Kind(
        "vectors_unavailable", 503, "The photos' vectors are not available", "Try again after Retry-After seconds."
    ),
    NotReady: Kind("not_ready", 503, "The service is not ready", "The canary sketch is not answered right."),
    DeadlineExceeded: Kind(
        "deadline_exceeded", 503, "The answer took too long", "Try again after Retry-After seconds."
    ),
}
NOT_FOUND = Kind("not_found", 404, "No such resource", "Routes are listed in /docs.")
METHOD_NOT_ALLOWED = Kind("method_not_allowed", 405, "Method not allowed", "The Allow header lists what is.")
RANGE_NOT_SATISFIABLE = Kind("range_not_satisfiable", 416, "No such part of the file", "Content-Range has its size.")
HTTP_ERROR = Kind("http_error", 400, "The request cannot be answered")
MALFORMED = Kind("malformed", 400, "No valid HTTP request", "The request line, a header or a chunk is malformed.")
HEAD_TIMEOUT = Kind("head_timeout", 408, "The request's head took too long to arrive", "Send it at once.")
HEAD_TOO_LARGE = Kind(
    "head_too_large", 431, "The request's head is too large", "At most 100 headers and 64 KiB are accepted."
)
TOO_MANY_CONNECTIONS = Kind(
    "too_many_connections", 503, "Too many connections are open", "Try again after Retry-After seconds."
)
INTERNAL = Kind(
    "internal_error", 500, "The service failed", "Not the request's fault; the log has it under request_id."
)
_OUTSIDE_OF_ROUTES = (
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    RANGE_NOT_SATISFIABLE,
    HTTP_ERROR,
    INTERNAL,
    MALFORMED,
    HEAD_TIMEOUT,
    HEAD_TOO_LARGE,
    TOO_MANY_CONNECTIONS,
)


def all_kinds() -> list[Kind]:
    """Every kind of problem, each code once, for the reference page."""
    kinds = {kind.code: kind for kind in (*KINDS.values(), *_OUTSIDE_OF_ROUTES)}
    return sorted(kinds.values(), key=lambda kind: (kind.status, kind.code))


def kind_of(error: InkseekError) -> Kind:
    """The kind of `error`, by its nearest listed class; INTERNAL for what no request can cause."""
    for base in type(error).__mro__:
        if base in KINDS:
            return KINDS[base]
    return INTERNAL
