"""What a call may raise, in one tree.

InkseekClientError
├── Unreachable              the service was not reached, or the connection broke
│   └── TimedOut
├── UnexpectedAnswer         an answer that this client cannot read: no Inkseek, or another version of it
├── JobFailed                a job that was waited for has failed or was cancelled
└── ServiceProblem           the service answered with a problem document (RFC 9457)
    ├── RequestInvalid       400, 415, 422 …: the same request is rejected again
    │   ├── SketchInvalid    the sketch is empty, solid, or no picture
    │   └── TooLarge         413: see `info().limits`
    ├── KeyRejected          401: no key was sent, or it is not valid
    ├── Denied               403: the key lacks a scope, or the service is read-only
    ├── NotFound             404
    ├── Conflict             409: as things are, it cannot be done
    ├── CursorStale          410: the gallery has changed since the first page
    ├── TryLater             429, 503: after `retry_after_s` it may work
    └── ServiceFailed        500, 507 …
"""

from __future__ import annotations

from inkseek_client.schemas.jobs import Job
from inkseek_client.schemas.problem import FieldFault, Problem


class InkseekClientError(Exception):
    """Root of the tree."""


class Unreachable(InkseekClientError):
    """The service could not be reached, or the connection ended before the answer did."""


class TimedOut(Unreachable):
    """Nothing came within the client's `timeout_s`."""


class UnexpectedAnswer(InkseekClientError):
    """The answer is no problem document and does not fit the schema of the route."""


class JobFailed(InkseekClientError):
    """`job` ended in the state `failed` or `cancelled`."""

    def __init__(self, job: Job) -> None:
        """`job`: as it ended."""
        super().__init__(f"job {job.job_id} has {job.state}: {job.detail or job.stage}")
        self.job = job


class ServiceProblem(InkseekClientError):
    """The service rejected the request or failed; str() is its `detail`.

    `problem`: the whole document. `retry_after_s`: of the header Retry-After, None without it.
    """

    def __init__(self, problem: Problem, retry_after_s: float | None = None) -> None:
        """`retry_after_s`: seconds."""
        super().__init__(f"{problem.title}: {problem.detail}")
        self.problem = problem
        self.retry_after_s = retry_after_s

    @property
    def code(self) -> str:
        """Stable word for programs, such as `unknown_category`."""
        return self.problem.code

    @property
    def status(self) -> int:
        """HTTP status, 400 to 599."""
        return self.problem.status

    @property
    def faults(self) -> tuple[FieldFault, ...]:
        """Which fields of the request are wrong, and why; often empty."""
        return self.problem.errors or ()


class RequestInvalid(ServiceProblem):
    """The request is not accepted as it is."""


class SketchInvalid(RequestInvalid):
    """The sketch is empty, solid, unreadable or of no accepted format."""


class TooLarge(RequestInvalid):
    """The body, an image or the number of items is over a limit of `info().limits`."""


class KeyRejected(ServiceProblem):
    """No API key was sent where one is needed, or it is not valid."""


class Denied(ServiceProblem):
    """The key lacks the scope that the problem names, or the service is read-only."""


class NotFound(ServiceProblem):
    """There is no such photo, category, adapter, job, gallery or route."""


class Conflict(ServiceProblem):
    """The state of the service does not allow it, for example because a limit of adapters is reached."""


class CursorStale(ServiceProblem):
    """The gallery or an adapter has changed since the first page: begin again."""


class TryLater(ServiceProblem):
    """The service is busy, limits the key's rate, or is not ready; retries were in vain."""


class ServiceFailed(ServiceProblem):
    """The service failed; its log has the reason under `problem.request_id`."""
