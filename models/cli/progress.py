"""The bar that a command shows while it encodes."""

from __future__ import annotations

from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from models.console import stderr


def encoding_progress() -> Progress:
    """A bar on standard error with images done of all; it goes when the work is done."""
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=stderr(), transient=True)
