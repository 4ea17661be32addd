"""An object store behind `fsspec`: listed in pages, read by ranges, its errors made one line each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Final

from index_builder.errors import SourceUnavailable
from index_builder.files.ranges import range_file
from index_builder.files.stamp import FileStamp

EXTRAS: Final = {"s3": "s3", "gs": "gs", "az": "az"}
"""Scheme of a URL -> the extra that installs what reads it."""

# Listings are never kept: they would grow with the store. S3's client repeats what fails for a moment by itself.
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "s3": {"use_listings_cache": False, "config_kwargs": {"connect_timeout": 10, "read_timeout": 60}},
    "gs": {"use_listings_cache": False},
    "az": {"use_listings_cache": False},
}
_URL = re.compile(r"^(?P<scheme>[a-z0-9]+)://(?P<path>[^/].*)$", re.DOTALL)
_DETAIL_CHARACTERS = 300


class ObjectChanged(OSError):
    """The object is another one than was listed, and changes faster than it can be read."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object below the store's root: its path there, and its stamp as it was listed."""

    path: str
    stamp: FileStamp


def is_url(location: str) -> bool:
    """Whether the location is a URL and no path of this machine."""
    return _URL.match(location) is not None


class ObjectStore:
    """The objects below a URL such as `s3://bucket/photos`. Threads may share it."""

    def __init__(self, url: str, file_system: Any, base: str) -> None:
        """`base`: the path of `url` as `file_system`, of fsspec, writes it."""
        self.url = url
        self._files = file_system
        self._base = base

    @classmethod
    def at(cls, url: str) -> ObjectStore:
        """The store behind a URL; nothing is read. Raises SourceUnavailable for a scheme that is not installed."""
        found = _URL.match(url)
        scheme = found["scheme"] if found else ""
        if scheme not in EXTRAS:
            raise SourceUnavailable(f"{url}: photos are read from {', '.join(f'{name}://' for name in EXTRAS)}")
        try:
            import fsspec  # an extra, with the client of the store

            file_system = fsspec.filesystem(scheme, **_OPTIONS[scheme])
        except ImportError as error:
            extra = EXTRAS[scheme]
            raise SourceUnavailable(f"{url}: install Inkseek with its extra {extra}: 'inkseek[{extra}]'") from error
        except Exception as error:  # Azure's client looks for credentials at once
            raise _unreadable(url, error) from error
        url = url.rstrip("/")
        return cls(url, file_system, url.partition("://")[2])

    def objects(self) -> Iterator[StoredObject]:
        """Every object below the root as the listing is drawn: S3 in pages, others folder by folder.

        Raises SourceUnavailable.
        """
        with self._named(self.url):
            listing = self._pages() if hasattr(self._files, "call_s3") else self._folders()
            for name, info in listing:
                path = name[len(self._base) :].lstrip("/")
                if path and not path.endswith("/"):  # consoles make objects "photos/" to show an empty folder
                    yield StoredObject(path, _stamp_of(info) or FileStamp(-1, -1))

    def stamp(self, path: str) -> FileStamp | None:
        """The stamp of an object as it is now; None where it is gone. Raises SourceUnavailable."""
        try:
            return self._stamp(path)
        except FileNotFoundError:
            return None

    def read(self, path: str, start: int, end: int) -> bytes:
        """The bytes [start, end) of an object; fewer where it ends before.

        Raises FileNotFoundError, SourceUnavailable.
        """
        with self._named(f"{self.url}/{path}"):
            data: bytes = self._files.cat_file(self._key(path), start=start, end=end)
            return data

    def open(self, path: str, listed: FileStamp | None = None) -> BinaryIO:
        """The object as a seekable file, each read of which is one request. `listed`: saves the request for its size.

        Raises FileNotFoundError, SourceUnavailable. Reading to the end raises ObjectChanged where the object does not
        keep still.
        """
        size = listed.bytes if listed is not None and listed.bytes >= 0 else self._stamp(path).bytes

        def fetch(start: int, end: int) -> bytes:
            expected = size
            for _ in range(2):
                if end < expected:
                    return self.read(path, start, end)
                # A byte beyond the end shows that the object has become longer.
                data = self.read(path, start, expected + 1)
                if start + len(data) == expected:
                    return data
                if start:  # what was read before is of another content
                    break
                end = expected = self._stamp(path).bytes
            raise ObjectChanged(f"{self.url}/{path} changed while it was read")

        return range_file(size, fetch)

    def signed_url(self, path: str, expires_s: int) -> str:
        """A URL that anybody may read the object with for that long. Raises SourceUnavailable."""
        with self._named(f"{self.url}/{path}"):
            return str(self._files.sign(self._key(path), expiration=expires_s))

    def _key(self, path: str) -> str:
        return f"{self._base}/{path}" if path else self._base

    def _stamp(self, path: str) -> FileStamp:
        with self._named(f"{self.url}/{path}"):
            info = self._files.info(self._key(path))
            stamp = _stamp_of(info) if info.get("type") != "directory" else None
            if stamp is None:
                raise FileNotFoundError(f"{self.url}/{path} is no object")
            return stamp

    def _pages(self) -> Iterator[tuple[str, dict[str, Any]]]:
        bucket, _, prefix = self._base.partition("/")
        wanted = {"Bucket": bucket, "Prefix": f"{prefix}/" if prefix else ""}
        token: dict[str, str] = {}
        while True:
            page = self._files.call_s3("list_objects_v2", **wanted, **token)
            for entry in page.get("Contents", ()):
                yield f"{bucket}/{entry['Key']}", entry
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def _folders(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for _, _, files in self._files.walk(self._base, detail=True, on_error="raise"):
            for info in files.values():
                yield info["name"].lstrip("/"), info

    @contextmanager
    def _named(self, what: str) -> Iterator[None]:
        """Errors of the store as one line about `what`; that a single object is missing stays what it is."""
        try:
            yield
        except FileNotFoundError as error:
            if what == self.url:
                raise SourceUnavailable(f"{what} cannot be listed: there is no such place") from error
            raise
        except (SourceUnavailable, ObjectChanged, GeneratorExit):
            raise
        except Exception as error:  # each client has errors of its own: credentials, network, access, quotas
            raise _unreadable(what, error) from error


def _unreadable(what: str, error: Exception) -> SourceUnavailable:
    detail = " ".join(str(error).split())[:_DETAIL_CHARACTERS] or type(error).__name__
    return SourceUnavailable(f"{what} cannot be read: {detail}")


def _stamp_of(info: dict[str, Any]) -> FileStamp | None:
    """From what clients of different stores call size, entity tag and time."""
    size = info.get("Size", info.get("size"))
    if size is None:
        return None
    tag = next((info[name] for name in ("ETag", "etag", "md5Hash") if info.get(name)), None)
    if tag is not None:
        return FileStamp.of_tag(int(size), str(tag))
    times = (info.get(name) for name in ("LastModified", "last_modified", "updated", "mtime", "created"))
    moment = next((time for time in times if time is not None), None)
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    seconds = moment.timestamp() if isinstance(moment, datetime) else moment
    return FileStamp(int(size), -1 if seconds is None else int(seconds * 1e9))
