"""The `inkseek` command: each package brings its own part of the command line, this module joins them."""

from __future__ import annotations

import errno
import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

try:
    from index_builder.cli.index import app as index_app
    from index_builder.cli.up_to_date import bring_up_to_date
    from models.cli.bundle import app as bundle_app
    from models.cli.data import app as data_app
    from models.cli.evaluate import evaluate
    from models.cli.evaluate_kinds import evaluate_kinds_command
    from models.cli.train import app as train_app
    from models.console import ExitCode, stderr, stdout
    from service.cli.adapters import app as adapters_app
    from service.cli.backup import app as backup_app
    from service.cli.demo import demo_command
    from service.cli.keys import app as keys_app
    from service.cli.search.command import search
    from service.cli.serve import serve
except ModuleNotFoundError as error:
    if error.name not in ("faiss", "onnxruntime"):
        raise
    # No dependency, since a GPU needs others: one extra brings both.
    sys.exit(
        f"inkseek needs {error.name}, which comes with an extra: pip install 'inkseek[cpu]'; on a GPU gpu12 or gpu"
    )

app = typer.Typer(
    name="inkseek",
    help="Draw what you have in mind, get the photo of it.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command()(serve)
app.command()(search)
app.command("demo")(demo_command(bring_up_to_date))
app.command()(evaluate)
app.command("evaluate-kinds")(evaluate_kinds_command)
app.add_typer(adapters_app, name="adapters", help="Adapt a category or a drawing style to a few examples.")
app.add_typer(keys_app, name="keys", help="API keys: who may search, adapt, write.")
app.add_typer(backup_app, name="backup", help="One archive of index, online store and keys, made and restored.")
app.add_typer(index_app, name="index", help="Build and look after the index of a photo gallery.")
app.add_typer(data_app, name="data", help="Look at sketch-photo data sets.")
app.add_typer(train_app, name="train", help="Train the teacher, distil the students (needs torch).")
app.add_typer(bundle_app, name="bundle", help="Build, inspect and compare model bundles.")


@app.callback(invoke_without_command=True)
def inkseek(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Draw what you have in mind, get the photo of it."""
    if show_version:
        stdout().print(version("inkseek"), highlight=False)
        raise typer.Exit


def main() -> None:
    """Entry point of the console script. Where nobody reads the output any more, or a disk is full, it ends quietly."""
    try:
        try:
            app()
        finally:
            # Here, and not when the interpreter ends, which prints a traceback and changes the exit code.
            sys.stdout.flush()
    except BrokenPipeError:
        _leave_stdout()
        sys.exit(ExitCode.FAILED)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _leave_stdout()
        stderr().print(f"[red]the output could not be written:[/red] {error.strerror}", highlight=False)
        sys.exit(ExitCode.FAILED)


def _leave_stdout() -> None:
    # What is still buffered goes nowhere: the interpreter would try to write it once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
