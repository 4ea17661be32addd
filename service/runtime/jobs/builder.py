"""The index builder as a process of its own: it may be killed, takes none of the service's memory, and stands back.

It ends with the service, even one that is killed: the next one takes the job over, and would find the index locked.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from service.changes.errors import JobCancelled, RebuildFailed
from service.config import Settings
from service.runtime.priority import let_process_stand_back
from service.store.jobs.job_store import JobStore

_log = logging.getLogger("inkseek.service")

_PULSE_S = 1.0  # how often the job's row learns of progress, and the process of a cancellation
_KILL_AFTER_S = 10.0

# What clients are told, without folders of the server; the log has the error itself.
_REASONS: Mapping[str, str] = {
    "BuildLocked": "another build is writing the index; try again when it has ended",
    "GalleryInvalid": "the gallery's folder or manifest cannot be listed",
    "GalleryEmpty": "no photo would be left: a version of the index has one at least",
    "TooManyDeleted": "more photos are gone from the gallery's folder than may leave at once",
    "ChangesUnfit": "the index was changed by somebody else meanwhile; try again",
    "StoreUnavailable": "the Milvus of the photos' vectors is not available; try again later",
    "RecallTooLow": "the new version misses its recall gate",
}


class IndexBuilder:
    """Runs `inkseek index` for one job, and passes its progress on."""

    def __init__(self, job_id: str, jobs: JobStore, settings: Settings) -> None:
        """`settings`: those of the gallery."""
        self._job_id = job_id
        self._jobs = jobs
        self._index = str(settings.index)
        # The builder reads where Milvus is, and with which key, from the same variables; options of the service win.
        server = settings.milvus
        milvus = {} if server is None else {"INKSEEK_MILVUS_URI": server.uri, "INKSEEK_MILVUS_TOKEN": server.token}
        self._environment = {**os.environ, **milvus}

    async def run(self, command: str, bundle: str, *options: str) -> None:
        """Raises RebuildFailed; JobCancelled when the job was cancelled, and then nothing is published."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "inkseek", "index", command, "--index", self._index, "--bundle", bundle,
            "--json", "--progress-lines", "--end-with-input", *options,
            env=self._environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        let_process_stand_back(process.pid)
        assert process.stdout is not None and process.stderr is not None
        output = asyncio.create_task(process.stdout.read())
        self._stage: tuple[str, int, int | None] = (command, 0, None)
        listening = asyncio.create_task(self._listen(process.stderr))
        try:
            while not await _ended(process):
                job = await asyncio.to_thread(self._jobs.progress, self._job_id, *self._stage)
                if job.state != "running":
                    raise JobCancelled("the job was cancelled")
            await listening
            self._check(process.returncode, await output)
        finally:
            await _stop(process)
            for task in (output, listening):
                task.cancel()

    async def _listen(self, lines: asyncio.StreamReader) -> None:
        async for line in lines:
            try:
                step: dict[str, Any] = json.loads(line)
                self._stage = str(step["stage"]), int(step["done"]), step["total"]
            except (ValueError, KeyError, TypeError):
                _log.info("the index builder: %s", line.decode(errors="replace").rstrip())

    def _check(self, code: int | None, output: bytes) -> None:
        if code == 0:
            return
        try:
            failure: dict[str, Any] = json.loads(output)
        except ValueError:
            failure = {}
        kind, detail = str(failure.get("error", "")), failure.get("detail", output.decode(errors="replace"))
        _log.error("the index builder failed (exit status %s): %s: %s", code, kind, detail)
        raise RebuildFailed(_REASONS.get(kind, f"the index builder failed ({kind or code}); the log says why"))


async def _ended(process: asyncio.subprocess.Process) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_PULSE_S):
            await process.wait()
    return process.returncode is not None


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_KILL_AFTER_S):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        raise
