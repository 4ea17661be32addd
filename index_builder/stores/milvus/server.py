"""A Milvus by its address: connecting, and its errors as ours, without what must stay secret."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from index_builder.stores.errors import MilvusUriInvalid, StoreUnavailable

_SCHEMES = ("http", "https", "tcp", "unix")
_LOCAL_SUFFIX = ".db"  # a milvus-lite in the process: for tests and first steps, since it serves one process alone


@dataclass(frozen=True)
class MilvusServer:
    """Where a Milvus answers. `uri`: http://HOST:19530, or a path that ends in .db for a milvus-lite.

    `token`: an API key, or `user:password`; it is in no message. `timeout_s`: longest time of one call of a search.
    """

    uri: str
    token: str = field(default="", repr=False)
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        """Raises MilvusUriInvalid."""
        check_milvus_uri(self.uri)

    @property
    def is_local(self) -> bool:
        """Whether it is a milvus-lite in this process."""
        return _is_local(self.uri)

    def connect(self) -> Any:
        """A `pymilvus.MilvusClient`, thread-safe.

        Raises StoreUnavailable where nothing answers, or pymilvus is not installed.
        """
        try:
            import pymilvus  # an extra, and 3 seconds of start that no other store needs
        except ImportError as error:
            raise StoreUnavailable("vectors in Milvus need pymilvus: pip install 'inkseek[milvus]'") from error
        # It writes a traceback to stderr for each failed call; what failed is in the errors that we raise.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        with self.errors("connect"):
            return pymilvus.MilvusClient(self.uri, token=self.token, timeout=self.timeout_s)

    @contextmanager
    def errors(self, doing: str) -> Iterator[None]:
        """Whatever the client raises in the block becomes StoreUnavailable."""
        import grpc
        import pymilvus

        try:
            yield
        except pymilvus.MilvusException as error:
            raise StoreUnavailable(self._message(doing, str(error.message))) from None  # it may quote what is secret
        except grpc.RpcError as error:  # how a call ends that takes too long
            code = error.code().name if isinstance(error, grpc.Call) else type(error).__name__
            raise StoreUnavailable(self._message(doing, code.lower().replace("_", " "))) from None

    def _message(self, doing: str, why: str) -> str:
        shown = " ".join(why.split())[:300]
        for secret in filter(None, (self.token, self.token.partition(":")[2])):
            shown = shown.replace(secret, "***")
        return f"Milvus at {self.uri} cannot {doing}: {shown}"


def check_milvus_uri(uri: str) -> None:
    """Raises MilvusUriInvalid for what is no address of a Milvus, or has a password in it, which logs would show."""
    if _is_local(uri):
        return
    try:
        parts = urlsplit(uri)
    except ValueError:
        parts = urlsplit("")
    if parts.username or parts.password:
        raise MilvusUriInvalid("a Milvus address has no user and password in it: they are its token, user:password")
    if parts.scheme not in _SCHEMES or not (parts.hostname or parts.path.strip("/")):
        raise MilvusUriInvalid(f"{uri!r} is no address of a Milvus; one is http://localhost:19530")


def _is_local(uri: str) -> bool:
    return uri.endswith(_LOCAL_SUFFIX) and "://" not in uri
