"""The command as a whole: its version, its parts, and that no part loads what serving does not need."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from inkseek import app


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout.strip()) == (0, version("inkseek"))


def test_no_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, []).exit_code == 2
    assert CliRunner().invoke(app, ["train", "nothing"]).exit_code == 2


@pytest.mark.parametrize(
    "words", [("train", "compare"), ("train", "attention"), ("train", "plot"), ("bundle", "build")]
)
def test_the_former_programs_are_commands(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_the_command_line_loads_no_torch() -> None:
    code = "import sys, inkseek; sys.exit('torch' in sys.modules or 'onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("package", ["onnxruntime", "faiss"])
def test_without_the_packages_of_an_extra_it_says_which_extra(package: str) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; import inkseek"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert package in result.stderr and "inkseek[cpu]" in result.stderr and "Traceback" not in result.stderr
