"""A progress bar on standard error, for `search_folder` and `wait_for`; needs the extra `progress`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn


@contextmanager
def progress_bar(
    what: str = "searching", console: Console | None = None
) -> Iterator[Callable[[int, int | None], None]]:
    """A function to hand over as `progress`; the bar goes when the block ends.

    `console`: where it is drawn; None: standard error.
    """
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console or Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield report
