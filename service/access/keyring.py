"""The keys as one process knows them: a change of the file is seen within a second, by every process for itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from service.access.errors import KeysUnreadable
from service.access.key_file import read_keys
from service.access.key_uses import KeyUses
from service.access.keys import ApiKey, key_id_of
from service.access.principal import Principal
from service.errors import KeyInvalid

_log = logging.getLogger("inkseek.service")

_LOOK_EVERY_S = 1.0

# A key of this digest matches no token; it is compared where there is none, so that both cases take the same time.
_NO_KEY = ApiKey(key_id="", name="", sha256="0" * 64, scopes=(), created_at=datetime.min.replace(tzinfo=UTC))


class Keyring:
    """The keys of one file. Not thread-safe: used on the event loop alone, where it costs a `stat` per second."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic, uses: KeyUses | None = None) -> None:
        """Nothing is read before the first call. `clock`: seconds. `uses`: where uses are noted."""
        self.path = path
        self._clock = clock
        self._uses = uses
        self._look_at = float("-inf")
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[str, tuple[ApiKey, Principal]] = {}
        self._closed = False
        self._problem: str | None = None

    def has_keys(self) -> bool:
        """Whether requests need a key: there is one, be it revoked or expired, or there was one since the start.

        A file that vanishes locks the service rather than opening it. Raises KeysUnreadable if it never was readable.
        """
        self._refresh()
        return self._closed

    def has_limits(self) -> bool:
        """Whether a key has a rate limit of its own. Raises as `has_keys`."""
        self._refresh()
        return any(principal.rate_limit or principal.change_limit for _, principal in self._keys.values())

    def principal_of(self, token: str) -> Principal:
        """Who makes a request with `token`. Raises KeyInvalid for a token that is unknown, revoked or expired."""
        self._refresh()
        key, principal = self._keys.get(key_id_of(token) or "", (_NO_KEY, None))
        if not key.matches(token) or principal is None:
            raise KeyInvalid("this key is unknown")
        state = key.state(datetime.now(UTC))
        if state != "active":
            raise KeyInvalid(f"the key {key.key_id} is {state}")
        if self._uses is not None:
            self._uses.note(key.key_id)
        return principal

    def _refresh(self) -> None:
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY_S
        try:
            found = self.path.stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if seen == self._seen:
                return
            keys = read_keys(self.path)
        except (FileNotFoundError, NotADirectoryError):
            if self._closed and self._seen is not None:
                _log.error("%s is gone: every key is denied until it is there again", self.path)
            seen, keys = None, ()
        except (OSError, KeysUnreadable) as error:
            self._report(error)
            return
        self._seen, self._problem = seen, None
        self._keys = {key.key_id: (key, key.principal) for key in keys}
        self._closed = self._closed or bool(keys)

    def _report(self, error: Exception) -> None:
        """Once they were read, the last keys hold on; each trouble is logged once."""
        if not self._closed:
            self._look_at = float("-inf")  # the next call has to raise as well, and not to find no keys
            raise error if isinstance(error, KeysUnreadable) else KeysUnreadable(f"{self.path}: {error}") from error
        if self._problem != str(error):
            _log.error("the API keys cannot be read, those read last hold on: %s", error)
        self._problem = str(error)
