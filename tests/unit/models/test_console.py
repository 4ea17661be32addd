"""How commands end: one document or one line, on the right stream, with the exit code that is promised."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import typer

from models.console import ExitCode, fail, print_json, stderr, stdout
from models.errors import InkseekError


class GateNotPassed(InkseekError):
    """With figures of its own, as gates have."""

    def __init__(self, message: str, measured: float, required: float) -> None:
        super().__init__(message)
        self.measured, self.required = measured, required


def test_exit_codes_are_those_of_the_readme() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "WRONG_USAGE": 2,
        "GATE_NOT_PASSED": 3,
    }


@pytest.mark.parametrize("code", [ExitCode.FAILED, ExitCode.GATE_NOT_PASSED])
def test_an_error_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str], code: ExitCode) -> None:
    with pytest.raises(typer.Exit) as ended:
        fail(InkseekError("no index at [bold]/x[/bold]; " + "very " * 60 + "long"), code=code)
    printed = capsys.readouterr()
    assert ended.value.exit_code == code
    assert printed.out == ""
    assert printed.err.startswith("InkseekError: no index at [bold]/x[/bold]; very")
    assert printed.err.count("\n") == 1


def test_an_error_as_json_is_one_document_on_stdout_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        fail(GateNotPassed("recall too low", 0.9, 0.95), as_json=True, code=ExitCode.GATE_NOT_PASSED)
    printed = capsys.readouterr()
    assert ended.value.exit_code == 3
    assert printed.err == ""
    assert json.loads(printed.out) == {
        "error": "GateNotPassed",
        "detail": "recall too low",
        "measured": 0.9,
        "required": 0.95,
    }


def test_documents_are_readable_and_hold_what_json_has_no_form_for(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"path": Path("a/b"), "day": date(2026, 1, 2), "name": "Grün"})
    printed = capsys.readouterr().out
    assert "Grün" in printed
    assert json.loads(printed) == {"path": "a/b", "day": "2026-01-02", "name": "Grün"}


def test_consoles_write_to_the_stream_of_the_moment(capsys: pytest.CaptureFixture[str]) -> None:
    stdout().print("to out", highlight=False)
    stderr().print("to err", highlight=False)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("to out\n", "to err\n")
