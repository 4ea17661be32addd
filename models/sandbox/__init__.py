"""Limited child processes for work on untrusted bytes: what crashes, hangs or swells there ends there."""

from models.sandbox.errors import SandboxBusy, SandboxCrashed, SandboxError, SandboxExceeded, SandboxRejected
from models.sandbox.pool import ProcessLimits, Sandbox

__all__ = [
    "ProcessLimits",
    "Sandbox",
    "SandboxBusy",
    "SandboxCrashed",
    "SandboxError",
    "SandboxExceeded",
    "SandboxRejected",
]
