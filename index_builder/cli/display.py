"""What `inkseek index` shows to people: progress on stderr, tables on stdout."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from index_builder.artifact import GalleryIndex, IndexManifest, layout
from index_builder.build import BuildResult, Stage
from index_builder.build import Progress as OnProgress
from index_builder.embedding.stage_times import bottleneck
from models.bundle import cpu_quota, name_of_bundle
from models.console import stderr, stdout

_STAGES: dict[Stage, str] = {
    "sketches": "embedding sketches",
    "gallery": "listing photos",
    "reuse": "comparing photos",
    "photos": "embedding photos",
    "merge": "merging segments",
    "index": "building the index",
    "milvus": "writing to Milvus",
    "duplicates": "finding duplicates",
    "recall": "measuring recall",
    "facing": "measuring facing",
    "publish": "publishing",
}
_ENOUGH_QUERIES = 50  # below, the recall of one query moves the mean by more than two points
_SHOWN_CATEGORIES = 20
_LINE_EVERY_S = 0.3


@contextlib.contextmanager
def progress(*, lines: bool = False) -> Iterator[OnProgress]:
    """Bars on stderr, silent where stderr is no terminal; or `lines` of JSON, a few a second at most."""
    if lines:
        yield _json_lines()
        return
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = stderr()
    # A log file would get a line for every step of every bar.
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[Stage, TaskID] = {}

        def report(stage: Stage, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(_STAGES[stage], total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report


def _json_lines() -> OnProgress:
    last: tuple[Stage | None, float] = (None, 0.0)

    def report(stage: Stage, done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if stage == last[0] and done != total and now - last[1] < _LINE_EVERY_S:
            return
        last = stage, now
        print(json.dumps({"stage": stage, "done": done, "total": total}), file=sys.stderr, flush=True)

    return report


def print_build(out: Path, result: BuildResult) -> None:
    """The published version, where its time went, and how many files were skipped or noted for which reason."""
    if result.unchanged:
        stdout().print(f"{out}: [green]{result.version}[/green] is up to date", highlight=False)
        return
    manifest, summary = result.manifest, result.manifest.build
    table = _summary(f"{out}: {result.version}", manifest)
    table.add_row("of these", f"{summary.embedded or 0:,} embedded, {summary.reused:,} taken over")
    table.add_row("time", f"{summary.seconds:.1f} s, {summary.photos_per_s:.1f} photos/s")
    table.add_row("stages", ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in summary.stages_s.items()))
    if slowest := bottleneck(summary.stages_s, cpu_quota()):
        table.add_row("bottleneck", f"{slowest} (seconds from read to encode are those of all threads together)")
    for reason, count in sorted(summary.skipped.items()):
        table.add_row(f"[yellow]not indexed: {reason}[/yellow]", str(count))
    for reason, count in sorted(summary.noted.items()):
        table.add_row(f"indexed, noted: {reason}", str(count))
    if result.removed:
        table.add_row("removed versions", ", ".join(result.removed))
    stdout().print(table)
    if summary.skipped or summary.noted:
        report = layout.versions_dir(out) / result.version / layout.REPORT
        # Outside of the table, which would break the path where it is longer than the terminal is wide.
        stdout().print(f"each file and its reason: {escape(str(report))}", highlight=False, soft_wrap=True)


def print_verified(index: GalleryIndex, problems: Sequence[str]) -> None:
    """The problems of one version, or that all of its files are intact."""
    if problems:
        table = Table(f"{index.version}: {len(problems)} problems", style="red")
        for problem in problems:
            table.add_row(escape(problem))
        stdout().print(table)
    else:
        files = len(index.files)
        stdout().print(f"[green]{index.version}: {index.count:,} photos, {files} files intact[/green]", highlight=False)


def print_index(
    index: GalleryIndex, categories: Sequence[tuple[str, int]], versions: Sequence[str], current: str
) -> None:
    """One version with its categories, and the names of all versions."""
    table = _summary(index.version, index.manifest)
    one_way, alone = index.manifest.one_way_categories, index.manifest.alone
    if alone is not None:
        otherwise = f", but not in {', '.join(map(escape, alone.exceptions))}" if alone.exceptions else ""
        framed = "are framed" if alone.holds() else "stay where they lie"
        table.add_row("things alone", f"{alone.overall:.0%} of a sample of photos: small drawings {framed}{otherwise}")
    for name, count in categories[:_SHOWN_CATEGORIES]:
        table.add_row(f"category {escape(name)}", f"{count:,}{', faces one way' if name in one_way else ''}")
    if len(categories) > _SHOWN_CATEGORIES:
        table.add_row("...", f"{len(categories) - _SHOWN_CATEGORIES} more categories")
    shown = [f"[green]{version} (published)[/green]" if version == current else version for version in versions]
    table.add_row("versions", "\n".join(shown))
    stdout().print(table)


def print_rollback(out: Path, old: str, new: str, before: str | None, now: str | None) -> None:
    """That `new` is published again in place of `old`, and what follows where other bundles made them.

    `before`, `now`: the ids of their bundles; None where `old` is damaged.
    """
    stdout().print(f"{out}: [green]{new}[/green] is published again (before: {old})", highlight=False, soft_wrap=True)
    if before is not None and now is not None and before != now:
        name = name_of_bundle(now)
        start = f"start them with --bundle {name}" if name else "start them with that bundle"
        stdout().print(
            f"[yellow]{new} was made by another bundle[/yellow], {now}, than {old}, {before}: services of the latter "
            f"keep answering from {old}; {start} to serve {new}",
            highlight=False,
            soft_wrap=True,
        )


def _summary(title: str, manifest: IndexManifest) -> Table:
    table = Table("", "", title=escape(title), show_header=False, title_justify="left")
    table.add_row("photos", f"{manifest.count:,}")
    table.add_row("gallery", escape(manifest.gallery.location))
    table.add_row("bundle", manifest.bundle_id)
    table.add_row("built", f"{manifest.created_at}, Inkseek {manifest.inkseek_version}")
    settings = manifest.search.model_dump(exclude_none=True, exclude={"kind"}, exclude_defaults=True)
    details = ", ".join(f"{name} {value}" for name, value in settings.items())
    table.add_row(
        "search", f"{manifest.search.kind}, {manifest.embedding_dim} dimensions" + (f", {details}" if details else "")
    )
    if manifest.is_exact:
        table.add_row("recall", "every search is exact: nothing is missed")
    elif manifest.recall:
        recall = manifest.recall
        doubt = "" if recall.query_count >= _ENOUGH_QUERIES else ", too few to rely on"
        table.add_row(f"recall@{recall.k}", f"{recall.recall:.4f} on {recall.query_count} {recall.queries}{doubt}")
    if cost := manifest.cost:
        table.add_row("a search", f"{cost.ms_p50:.2f} ms (95 %: {cost.ms_p95:.2f} ms) on one thread")
        table.add_row(
            "bytes per photo", f"{cost.bytes_per_photo:,.0f} on disk, {cost.memory_per_photo:,.0f} in memory to search"
        )
    if manifest.metadata_fields:
        table.add_row(
            "metadata", ", ".join(escape(f"{field.name} ({field.type})") for field in manifest.metadata_fields)
        )
    table.add_row("size", f"{manifest.total_bytes / 2**20:.1f} MiB")
    if manifest.collection is not None:
        table.add_row("collection", manifest.collection)
    if len(manifest.segments) > 1:
        deleted = sum(segment.count - segment.live for segment in manifest.segments)
        table.add_row("segments", f"{len(manifest.segments)}, with {deleted:,} deleted rows")
    return table
