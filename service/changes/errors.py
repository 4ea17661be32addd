"""What a change of the gallery can fail with.

ServiceError
├── RebuildFailed        the index builder failed, or what it published cannot be served
├── AdaptationFailed     a deep adaptation cannot be done: a sketch of it cannot be read
└── JobCancelled         a job was cancelled while it ran
RequestError
├── MetadataInvalid      a value that does not fit its field, or a field that the gallery does not have
├── JobNotFound          no job of that id
├── JobOver              a job that has ended cannot be cancelled
└── JobsLimit            as many jobs wait as may, or one of this kind runs
"""

from __future__ import annotations

from service.errors import RequestError, ServiceError


class RebuildFailed(ServiceError):
    """The index builder failed, or what it published cannot be served; what was published before is untouched."""


class AdaptationFailed(ServiceError):
    """A deep adaptation cannot be done, since a sketch of it cannot be read; no adapter was stored."""


class JobCancelled(ServiceError):
    """A job was cancelled while it ran."""


class MetadataInvalid(RequestError):
    """A value that does not fit its field, or a field that the gallery does not have; `fields` names each."""


class JobNotFound(RequestError):
    """No job of that id in this gallery."""


class JobOver(RequestError):
    """The job has ended: there is nothing to cancel."""


class JobsLimit(RequestError):
    """As many jobs wait as may, or a rebuild is under way."""
