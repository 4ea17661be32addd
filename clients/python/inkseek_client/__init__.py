"""Python client of Inkseek: draw what you have in mind, get the photo of it.

with Client("http://127.0.0.1:8000") as client:
    for hit in client.search("mug.png", k=5).results:
        print(hit.rank, hit.score, hit.photo_id)
"""

from inkseek_client.client import AsyncClient, Client
from inkseek_client.errors import (
    Conflict,
    CursorStale,
    Denied,
    InkseekClientError,
    JobFailed,
    KeyRejected,
    NotFound,
    RequestInvalid,
    ServiceFailed,
    ServiceProblem,
    SketchInvalid,
    TimedOut,
    TooLarge,
    TryLater,
    UnexpectedAnswer,
    Unreachable,
)
from inkseek_client.folder import FileAnswer
from inkseek_client.inputs import Delete, Describe, Profile, Upload
from inkseek_client.retries import Retries

__all__ = [
    "AsyncClient",
    "Client",
    "Conflict",
    "CursorStale",
    "Delete",
    "Denied",
    "Describe",
    "FileAnswer",
    "InkseekClientError",
    "JobFailed",
    "KeyRejected",
    "NotFound",
    "Profile",
    "RequestInvalid",
    "Retries",
    "ServiceFailed",
    "ServiceProblem",
    "SketchInvalid",
    "TimedOut",
    "TooLarge",
    "TryLater",
    "UnexpectedAnswer",
    "Unreachable",
    "Upload",
]
