"""keys.json: the API keys of one service, beside its online store. Replaced atomically; writers take turns.

A file and no database: it is small, changes a few times a year, and a running service notices a new one by its inode.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.atomic_files import replace_file
from models.schema_versions import is_readable, unreadable
from service.access.errors import KeyNotFound, KeysSchemaUnsupported, KeysUnreadable, KeysUnwritable
from service.access.keys import ApiKey

SCHEMA_VERSION = 1

_PRIVATE = 0o600


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    keys: tuple[ApiKey, ...]


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The keys in the order in which they were made, revoked and expired ones too; none without a file.

    Raises KeysUnreadable.
    """
    try:
        return parse_keys(path.read_bytes(), str(path))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise KeysUnreadable(f"{path} cannot be read: {error.strerror or error}") from error


def parse_keys(data: bytes, name: str) -> tuple[ApiKey, ...]:
    """The keys in the content of such a file, which messages call `name`. Raises KeysUnreadable."""
    try:
        version = json.loads(data)["schema_version"]
    except (ValueError, KeyError, TypeError):
        version = SCHEMA_VERSION  # the faults of anything else are found below
    if not is_readable(version, (SCHEMA_VERSION,)):
        raise KeysSchemaUnsupported(unreadable(name, version, (SCHEMA_VERSION,)))
    try:
        return _Document.model_validate_json(data).keys
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise KeysUnreadable(f"{name} is no file of API keys: {where}: {fault['msg']}") from error


def replace_keys(path: Path, keys: tuple[ApiKey, ...]) -> None:
    """Keep these keys in the place of whatever is there. Raises KeysUnwritable."""
    with _writing(path):
        _write(path, keys)


def add_key(path: Path, key: ApiKey) -> None:
    """Keep `key` with the others. Raises KeysUnreadable, KeysUnwritable."""
    with _writing(path):
        _write(path, (*read_keys(path), key))


def revoke_key(path: Path, key_id: str) -> ApiKey:
    """The key, revoked from now on; one that is revoked already stays as it is.

    Raises KeyNotFound, KeysUnreadable, KeysUnwritable.
    """
    with _writing(path):
        keys = {key.key_id: key for key in read_keys(path)}
        if key_id not in keys:
            raise KeyNotFound(f"there is no key {key_id!r}; `inkseek keys list` shows those that there are")
        if keys[key_id].revoked_at is None:
            keys[key_id] = keys[key_id].model_copy(update={"revoked_at": datetime.now(UTC)})
            _write(path, tuple(keys.values()))
    return keys[key_id]


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """One writer at a time, of all processes; the lock is given up when its file is closed, however that happens."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f".{path.name}.lock").open("a+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise KeysUnwritable(f"{path} cannot be written: {error.strerror or error}") from error


def _write(path: Path, keys: tuple[ApiKey, ...]) -> None:
    document = _Document(schema_version=SCHEMA_VERSION, keys=keys).model_dump(mode="json")

    def fill(file: BinaryIO) -> None:
        os.fchmod(file.fileno(), _PRIVATE)
        if os.geteuid() == 0:
            # A key that root makes has to be readable by the service, which owns the folder and is not root.
            owner = path.parent.stat()
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(json.dumps(document, indent=2).encode() + b"\n")

    replace_file(path, fill)
