"""What a request, or the start of the service, can fail with beyond the errors of images, bundles and indexes.

InkseekError
└── ServiceError
    ├── UnknownSetting       an INKSEEK_* variable that is no setting
    ├── AddressUnusable      the address to listen on is taken, or not this machine's
    ├── WorkersFailed        a worker process cannot start
    ├── DemoNotInstalled     the package with the demo gallery is missing
    ├── ClientNotInstalled   a search of another service, without the package that sends it
    ├── RemoteFailed         another service did not answer a search
    ├── AccessError          keys and limits: see service.access.errors
    ├── BackupError          archives: see service.backup.errors
    ├── RequestError         the client's doing
    │   ├── AccessDenied         whoever makes the request may not do that
    │   │   └── ReadOnly             nobody may: the service changes nothing
    │   ├── KeyRequired          it brings no API key, and needs one
    │   ├── KeyInvalid           its API key is unknown, revoked or expired
    │   ├── CrossSite            a page of another site made a browser send it
    │   ├── HostUnknown          it was sent to a name that is not the service's
    │   ├── BodyTooLarge         more bytes than allowed, found while they arrive
    │   ├── BodyTimeout          its bytes take too long to arrive
    │   ├── BodyInvalid          it is in no accepted form
    │   ├── EncodingUnsupported  its body is compressed in a way that is not decoded
    │   ├── BatchTooLarge        more items than allowed
    │   ├── ParameterInvalid     a query parameter that is unknown or out of range
    │   ├── VectorInvalid        numbers that are no embedding of a sketch
    │   ├── EncoderDiffers       an embedding of another bundle
    │   ├── EncoderWithheld      the sketch encoder is not given away, or another one is asked for
    │   ├── CursorInvalid        a cursor that is none, or belongs to another query
    │   ├── CursorStale          a cursor into what has changed since
    │   ├── UnknownCategory      a search names a category that this gallery lacks
    │   ├── UnknownProfile       a search names a profile that has no adapters
    │   ├── CategoryAbsent       the category whose adapters are requested does not exist
    │   ├── ProfileAbsent        the profile whose adapters are requested does not exist
    │   ├── NameInvalid          what cannot name a category or a profile
    │   ├── SupportError         examples that no adapter can be fitted to
    │   │   ├── SupportMismatch      sketches and photos do not pair up
    │   │   ├── TooManyPairs         more examples than allowed
    │   │   ├── UnknownPhoto         an example names a photo that is not there
    │   │   ├── PhotoElsewhere       an example names a photo of another category
    │   │   ├── PairDuplicate        the same example twice
    │   │   ├── PairContradictory    one sketch with two photos
    │   │   ├── SupportOnePhoto      one photo for all sketches
    │   │   └── CategoryTooSmall     too few photos to tell apart
    │   ├── AdapterNotFound      no adapter with that id
    │   ├── AdapterStale         an adapter of another bundle
    │   ├── AdaptersLimit        as many adapters as may be kept
    │   ├── OnlinePhotosLimit    as many uploaded photos as may be kept
    │   ├── OnlineTargetsLimit   as many categories and profiles with adapters as may be kept
    │   ├── OnlineFull           as many bytes of adapters and photos as may be kept
    │   ├── NothingToRollBack    no adapter is active
    │   ├── AdapterFileInvalid   a file that is no exported adapter
    │   ├── FeedbackOff          the service collects no feedback
    │   ├── FeedbackUnusable     feedback that no adapter could be fitted to
    │   ├── FeedbackNotFound     no feedback with that id
    │   ├── AdaptationUnavailable    the bundle cannot adapt
    │   ├── GalleryAbsent        there is no gallery of that name, or none that the principal may see
    │   └── ClientGone           nobody waits for the answer any more
    ├── Unavailable          the service's doing; trying again may help
    │   ├── QueueFull            as many requests wait as may
    │   ├── BodiesTooLarge       the bodies of all requests together are too large
    │   ├── DeadlineExceeded     not answered in time
    │   ├── OnlineUnreadable     the online store cannot be opened or read, which does not say that it is damaged
    │   ├── OnlineUnwritable     adapters and photos cannot be stored
    │   ├── GalleryUnavailable   a gallery cannot be opened, or not now
    │   ├── RateLimited          one key, or one address, sends more than it may
    │   └── NotReady             the canary sketch was answered wrong
    ├── QuotasInvalid        a gallery's quotas cannot be read
    ├── TracingUnavailable   spans are to be recorded, and OpenTelemetry is not installed
    └── OnlineCorrupt        the online store's database cannot be read
        └── OnlineSchemaUnsupported  it was written by another release
"""

from __future__ import annotations

from collections.abc import Sequence

from models.errors import InkseekError


class ServiceError(InkseekError):
    """Root of the service's own errors."""


class UnknownSetting(ServiceError):
    """An INKSEEK_* environment variable that names no setting."""


class AddressUnusable(ServiceError):
    """The address to listen on is taken, or not this machine's."""


class WorkersFailed(ServiceError):
    """A worker process ended before it served."""


class DemoNotInstalled(ServiceError):
    """The package with the demo gallery is not installed."""


class ClientNotInstalled(ServiceError):
    """The package inkseek-client, which sends a sketch to another service, is not installed."""


class RemoteFailed(ServiceError):
    """Another service was not reached, or rejected a search."""

    def __init__(self, message: str, *, kind: str = "Unreachable", code: str | None = None) -> None:
        """`kind`: the client's error; `code`: of the service's problem document, None where it sent none."""
        super().__init__(message)
        self.kind = kind
        self.code = code


class RequestError(ServiceError):
    """The request cannot be answered as it is."""

    def __init__(self, message: str, fields: Sequence[tuple[str, str]] = ()) -> None:
        """`fields`: (where, what) of each single fault, when the request has several parts that may be wrong."""
        super().__init__(message)
        self.fields = tuple(fields)


class AccessDenied(RequestError):
    """Whoever makes the request lacks the access that it needs."""


class ReadOnly(AccessDenied):
    """The service runs with `read_only`: it searches, and changes nothing for anybody."""


class KeyRequired(RequestError):
    """The request brings no API key, and what it asks for needs one."""


class KeyInvalid(RequestError):
    """The request's API key is unknown, revoked or expired, or it brings two different ones."""


class CrossSite(RequestError):
    """A page of another site made a browser send a request that changes something."""


class HostUnknown(RequestError):
    """The `Host` of the request is not a name of this service; a page that rebinds its own name sends such requests."""


class BodyTooLarge(RequestError):
    """The request body is larger than `max_upload_bytes`."""


class BodyTimeout(RequestError):
    """The request body did not arrive in time."""


class BodyInvalid(RequestError):
    """The body is in no accepted form, or holds no sketch."""


class EncodingUnsupported(RequestError):
    """The request's Content-Encoding is none that is decoded."""


class BatchTooLarge(RequestError):
    """A batch with more items than `max_batch_items`."""


class ParameterInvalid(RequestError):
    """A query parameter that is unknown, or whose value is out of range."""


class VectorInvalid(RequestError):
    """What was sent as a sketch's embedding has the wrong length or norm, or a number that is not finite."""


class EncoderDiffers(RequestError):
    """An embedding was made by another bundle than the one in service, so that nothing can be compared with it."""


class EncoderWithheld(RequestError):
    """The sketch encoder's file is not given to clients, or is that of another bundle."""


class CursorInvalid(RequestError):
    """A cursor that no answer gave, or that belongs to another query."""


class CursorStale(RequestError):
    """The gallery has changed since the cursor was given: what it points to may be elsewhere now."""


class UnknownCategory(RequestError):
    """A search names a category that the gallery lacks; the message names close ones."""


class UnknownProfile(RequestError):
    """A search names a profile that has no adapters; the message names close ones."""


class CategoryAbsent(RequestError):
    """The category whose adapters are requested has neither photos nor adapters; the message names close ones."""


class ProfileAbsent(RequestError):
    """The profile whose adapters are requested has none; the message names close ones."""


class NameInvalid(RequestError):
    """A text that cannot name a category or a profile."""


class SupportError(RequestError):
    """Examples that no adapter can be fitted to."""


class SupportMismatch(SupportError):
    """There are not as many photos as sketches, or none of either."""


class TooManyPairs(SupportError):
    """More pairs, or more photos, than one request may bring."""


class UnknownPhoto(SupportError):
    """An example names a photo that is not in the gallery."""


class PhotoElsewhere(SupportError):
    """An example names a photo of another category."""


class PairDuplicate(SupportError):
    """The same sketch with the same photo twice."""


class PairContradictory(SupportError):
    """The same sketch with two photos."""


class SupportOnePhoto(SupportError):
    """Several sketches, and all of the same photo: nothing says what to tell apart."""


class CategoryTooSmall(SupportError):
    """A category of a single photo: there is nothing to tell apart."""


class AdapterNotFound(RequestError):
    """No adapter with that id for that category or profile."""


class AdapterStale(RequestError):
    """An adapter that was fitted for another bundle than is served."""


class AdaptersLimit(RequestError):
    """As many adapters of one category or profile as may be kept."""


class OnlinePhotosLimit(RequestError):
    """As many uploaded photos as may be kept."""


class OnlineTargetsLimit(RequestError):
    """As many categories and profiles with adapters as may be kept."""


class OnlineFull(RequestError):
    """As many bytes of adapters, examples and uploaded photos as may be kept."""


class NothingToRollBack(RequestError):
    """A rollback where no adapter is active."""


class AdapterFileInvalid(RequestError):
    """A file that is no exported adapter, or a damaged one."""


class FeedbackOff(RequestError):
    """Feedback, where the service is not set to collect any."""


class FeedbackUnusable(RequestError):
    """Feedback on a photo that is in no category: adapters are of categories."""


class FeedbackNotFound(RequestError):
    """No feedback with that id."""


class AdaptationUnavailable(RequestError):
    """The bundle in service has nothing that could fit an adapter."""


class GalleryAbsent(RequestError):
    """No gallery of that name exists for whoever makes the request; the message names close ones."""


class ClientGone(RequestError):
    """The client closed the connection before it got its answer."""


class Unavailable(ServiceError):
    """The service cannot answer now."""

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        """`retry_after_s`: when to try again."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QueueFull(Unavailable):
    """As many requests are waiting as may wait."""


class BodiesTooLarge(Unavailable):
    """The bodies of all requests that are being answered take more memory than they may."""


class DeadlineExceeded(Unavailable):
    """The answer took longer than `request_timeout_s`."""


class OnlineUnreadable(Unavailable):
    """The online store cannot be opened or read: its disk or its permissions are at fault, as far as is known."""


class OnlineUnwritable(Unavailable):
    """The online store cannot be written: a read-only or full disk, or another writer that does not end."""


class RateLimited(Unavailable):
    """One key, or one address without a key, sends more requests or changes than it may in a time."""


class NotReady(Unavailable):
    """The bundle or the index fails its canary: it does not answer what it is known to answer."""


class GalleryUnavailable(Unavailable):
    """A named gallery that is broken, or that there is no memory for; the message says which."""


class QuotasInvalid(ServiceError):
    """The quotas in a gallery's folder cannot be read, or are none."""


class TracingUnavailable(ServiceError):
    """Spans are to be recorded, and the extra that does it is not installed."""


class OnlineCorrupt(ServiceError):
    """The online store's database cannot be read."""


class OnlineSchemaUnsupported(OnlineCorrupt):
    """The online store's database has a schema version that this release does not read."""
