"""How a job in a limited child process can fail.

InkseekError
└── SandboxError
    ├── SandboxBusy         every process is at work, and as many jobs wait as may
    ├── SandboxExceeded     the job took more processor time or memory than it may
    ├── SandboxCrashed      the process ended in the middle of the job
    └── SandboxRejected     the job itself says what is wrong with its input
"""

from models.errors import InkseekError


class SandboxError(InkseekError):
    """Base of what can go wrong with a job; to be caught as one."""


class SandboxBusy(SandboxError):
    """Every process is at work, and as many jobs wait as may, or the wait took too long."""


class SandboxExceeded(SandboxError):
    """The job took more processor time, wall-clock time or memory than it may; the message says which and how much."""


class SandboxCrashed(SandboxError):
    """The process ended, or its code failed in a way that it does not foresee, in the middle of the job."""


class SandboxRejected(SandboxError):
    """The job's code raised one of its own errors; `kind` is that error's class name."""

    def __init__(self, kind: str, message: str) -> None:
        """`message` is the text of the error that was raised in the child."""
        super().__init__(message)
        self.kind = kind
