"""What every `inkseek` command prints and how it ends: results on stdout, errors on stderr, one set of exit codes."""

from __future__ import annotations

import json
import sys
from enum import IntEnum
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape


class ExitCode(IntEnum):
    """How a command ends; typer itself ends with 2 where an option is wrong."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    GATE_NOT_PASSED = 3


def stdout() -> Console:
    """A console on the current stdout, made per call: tests and shells redirect it."""
    return Console(file=sys.stdout)


def stderr() -> Console:
    """A console on the current stderr."""
    return Console(file=sys.stderr, stderr=True)


def log(line: str) -> None:
    """Write one line about the progress of a long command to stderr."""
    sys.stderr.write(f"{line}\n")


def print_json(document: Any) -> None:
    """One indented JSON document on stdout; what JSON has no form for is written as text."""
    sys.stdout.write(json.dumps(document, indent=2, default=str, ensure_ascii=False) + "\n")


def in_words(error: Exception) -> str:
    """The error's message; of the operating system's errors the file and what is wrong with it."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def fail(error: Exception, *, as_json: bool = False, code: ExitCode = ExitCode.FAILED) -> NoReturn:
    """End the command: the error's kind and message on stderr, with `as_json` as a JSON document on stdout instead.

    The document also has what the error knows beyond its message, such as `measured` and `required` of a gate.
    """
    if as_json:
        print_json({"error": type(error).__name__, "detail": in_words(error), **vars(error)})
    else:
        stderr().print(f"[red]{type(error).__name__}:[/red] {escape(in_words(error))}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)
