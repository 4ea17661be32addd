"""Forks processes that have everything imported: a service, or a writer of keys, to be killed, costs 0.1 s to start.

Reads one JSON object a line, `{"what": "serve", "settings": {...}}` or `{"what": "keys", "path": "..."}`, and writes
what its children say: their process ids, the service's address, each key once it is stored.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from service.access.key_file import add_key
from service.access.keys import make_key
from service.config import Settings
from service.server import run


def say(what: dict[str, Any]) -> None:
    """One line, written at once: children share the pipe."""
    os.write(1, json.dumps(what).encode() + b"\n")


def serve(settings: dict[str, Any]) -> None:
    """A service until it is killed."""
    run(Settings(**settings), lambda url: say({"url": url.rstrip("/")}))


def write_keys(path: Path) -> None:
    """Key after key until it is killed."""
    while True:
        key = make_key("killed", ("search",)).key
        add_key(path, key)
        say({"key_id": key.key_id})
        time.sleep(0.005)


def main() -> None:
    """Fork for every line; whoever is dead is gone at once."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        job = json.loads(line)
        if (pid := os.fork()) == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            if job["what"] == "serve":
                serve(job["settings"])
            else:
                write_keys(Path(job["path"]))
            os._exit(0)
        say({"pid": pid, "what": job["what"]})


if __name__ == "__main__":
    main()
