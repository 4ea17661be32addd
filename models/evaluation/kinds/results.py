"""The results of searching for kinds as a JSON document and as tables; its keys are in docs/reference/evaluation.md."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.evaluation.intervals import LEVEL, RESAMPLES
from models.evaluation.kinds.measure import KS, KindEvaluation

_ENDS = 10  # of the best and of the worst kinds that a table shows
_SHOWN_UNUSABLE = 5


def kind_document(bundle_id: str, data: str, gallery: str, evaluation: KindEvaluation, seed: int) -> dict[str, Any]:
    """Shares in [0, 1], rounded to four digits, and every kind, the best first."""
    task = evaluation.task
    return {
        "bundle_id": bundle_id,
        "data": data,
        "gallery": gallery,
        "drawings": len(task.drawings),
        "kinds": len(evaluation.kinds),
        "photos": len(task.photos),
        **{
            f"kind_at_{share.k}": {
                "share": round(share.share, 4),
                "chance": round(share.chance, 4),
                "interval": share.interval and {end: round(at, 4) for end, at in asdict(share.interval).items()},
            }
            for share in evaluation.shares
        },
        "intervals": {"level": LEVEL, "resamples": RESAMPLES, "of": "kinds", "seed": seed},
        "by_kind": {
            result.kind: {
                "drawings": result.drawings,
                "right_photos": result.right_photos,
                **{f"kind_at_{k}": round(share, 4) for k, share in result.shares.items()},
            }
            for result in evaluation.kinds
        },
        "without_picture": list(task.without_picture),
        "not_encoded": [{"name": name, "reason": reason} for name, reason in _unusable(evaluation)],
    }


def print_kinds(
    console: Console, bundle_id: str, data: str, gallery: str, evaluation: KindEvaluation, every: bool
) -> None:
    """All kinds together with intervals and chance level, then the best and the worst, or every one."""
    task, kinds = evaluation.task, evaluation.kinds
    shown = kinds if every or len(kinds) <= 2 * _ENDS else kinds[:_ENDS] + kinds[-_ENDS:]
    caption = f"per cent of drawings; gallery: {gallery}, {len(task.photos):,} photos"
    if len(shown) < len(kinds):
        caption += f"\nthe best and the worst of {len(kinds):,} kinds; --all lists them"
    if task.without_picture:
        caption += f"\nleft out: {len(task.without_picture):,} kinds without a picture in the gallery"
    table = Table(title=f"{escape(data)} (kinds)\n{bundle_id}", caption=escape(caption), collapse_padding=True)
    table.add_column("kind", min_width=len("95 % high"))
    for heading in ("drawings", "right photos", *("first" if k == 1 else f"in {k}" for k in KS)):
        table.add_column(heading, justify="right", min_width=min(5, len(heading)))
    for number, result in enumerate(shown, 1):
        cells = [f"{result.drawings:,}", f"{result.right_photos:,}", *(_percent(result.shares[k]) for k in KS)]
        between_ends = number == _ENDS and len(shown) < len(kinds)
        table.add_row(escape(result.kind), *cells, end_section=between_ends or number == len(shown))
    shares = evaluation.shares
    table.add_row("all", f"{len(task.drawings):,}", "", *(_percent(share.share) for share in shares), style="bold")
    for end in ("low", "high"):
        bounds = [getattr(share.interval, end) for share in shares if share.interval is not None]
        if bounds:
            table.add_row(f"95 % {end}", "", "", *map(_percent, bounds), style="dim")
    table.add_row("chance", "", "", *(_percent(share.chance) for share in shares), style="dim")
    console.print(table)
    _print_unusable(console, evaluation)


def _print_unusable(console: Console, evaluation: KindEvaluation) -> None:
    unusable = _unusable(evaluation)
    if unusable:
        console.print(f"[yellow]without an embedding, so never found[/yellow] ({len(unusable):,})")
        for name, reason in unusable[:_SHOWN_UNUSABLE]:
            console.print(f"  {escape(name)}: {escape(reason)}", highlight=False, soft_wrap=True)


def _unusable(evaluation: KindEvaluation) -> list[tuple[str, str]]:
    """Name and reason of each, drawings first."""
    task = evaluation.task
    drawings = [(task.drawings[row].sketch.name, why) for row, why in sorted(evaluation.unusable_drawings.items())]
    photos = [(task.photos[row].key.photo_id, why) for row, why in sorted(evaluation.unusable_photos.items())]
    return drawings + photos


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
