"""What a request, or the start of the service, can fail with beyond the errors of images, bundles and indexes.

InkseekError
└── ServiceError
    ├── UnknownSetting       an INKSEEK_* variable that is no setting
    ├── AddressUnusable      the address to listen on is taken, or not this machine's
    ├── RequestError         the client's doing
    │   ├── BodyTooLarge         more bytes than allowed, found while they arrive
    │   ├── BodyTimeout          its bytes take too long to arrive
    │   ├── BodyInvalid          no sketch in it, or not in a form that is accepted
    │   ├── BatchTooLarge        more items than allowed
    │   ├── ParameterInvalid     a query parameter that is unknown or out of range
    │   ├── UnknownCategory      not a category of this index
    │   └── ClientGone           nobody waits for the answer any more
    └── Unavailable          the service's doing; trying again may help
        ├── QueueFull            as many requests wait as may
        ├── DeadlineExceeded     not answered in time
        └── NotReady             the canary sketch was answered wrong
"""

from __future__ import annotations

from collections.abc import Sequence

from models.bundle import InkseekError


class ServiceError(InkseekError):
    """Root of the service's own errors."""


class UnknownSetting(ServiceError):
    """An INKSEEK_* environment variable that names no setting."""


class AddressUnusable(ServiceError):
    """The address to listen on is taken, or not this machine's."""


class RequestError(ServiceError):
    """The request cannot be answered as it is."""

    def __init__(self, message: str, fields: Sequence[tuple[str, str]] = ()) -> None:
        """`fields`: (where, what) of each single fault, when the request has several parts that may be wrong."""
        super().__init__(message)
        self.fields = tuple(fields)


class BodyTooLarge(RequestError):
    """The request body is larger than `max_upload_bytes`."""


class BodyTimeout(RequestError):
    """The request body did not arrive in time."""


class BodyInvalid(RequestError):
    """The body holds no sketch in an accepted form."""


class BatchTooLarge(RequestError):
    """A batch with more items than `max_batch_items`."""


class ParameterInvalid(RequestError):
    """A query parameter that is unknown, or whose value is out of range."""


class UnknownCategory(RequestError):
    """A category that the index does not have; the message names close ones."""


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


class DeadlineExceeded(Unavailable):
    """The answer took longer than `request_timeout_s`."""


class NotReady(Unavailable):
    """The bundle or the index does not answer what it is known to answer."""
