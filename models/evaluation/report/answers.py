"""What sketches found, as HTML: a sketch, its first ten photos, the right one framed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from models.data.datasets import PhotoKey
from models.evaluation.dataset_evaluation import Evaluation
from models.evaluation.ranking import SHOWN
from models.evaluation.report.pictures import Thumbnails


def answers(evaluation: Evaluation, rows: Sequence[int], thumbnails: Thumbnails) -> str:
    """One article a query."""
    return "".join(_answer(evaluation, row, thumbnails) for row in rows)


def _answer(evaluation: Evaluation, row: int, thumbnails: Thumbnails) -> str:
    record, found = evaluation.records[row], evaluation.served.rankings
    rank, searched = int(found.ranks[row]), int(found.searched[row])
    cells = []
    for photo, score in zip(found.first[row].tolist(), found.scores[row].tolist(), strict=True):
        if photo >= 0:
            key = evaluation.photos[photo].key
            cells.append(_cell(evaluation, photo, f"{score:.2f}", "right" if key == record.photo else "", thumbnails))
    if rank > SHOWN:
        own = next(number for number, photo in enumerate(evaluation.photos) if photo.key == record.photo)
        score = float(found.own_scores[row])
        text = f"#{rank:,} · {score:.2f}" if np.isfinite(score) else f"#{rank:,}"
        cells.append(_cell(evaluation, own, text, "right beyond", thumbnails))
    reason = evaluation.refused_sketches.get(row)
    note = f'<p class="reason">not encoded: {escape(reason)}</p>' if reason else ""
    name = record.sketch.name.rpartition("/")[2]
    quality = "first" if rank == 1 else "near" if rank <= SHOWN else "missed"
    return (
        f'<article class="answer"><div class="asked"><span class="{thumbnails.sketch(record)}" role="img" '
        f'aria-label="sketch of {escape(_label(record.photo))}"></span><div><b>{escape(_label(record.photo))}</b>'
        f'<span class="name">{escape(name)}</span><span class="rank {quality}">rank {rank:,} of {searched:,}</span>'
        f'</div></div><ol class="found">{"".join(cells)}</ol>{note}</article>'
    )


def _cell(evaluation: Evaluation, row: int, text: str, kind: str, thumbnails: Thumbnails) -> str:
    photo = evaluation.photos[row]
    label = escape(_label(photo.key))
    right = ", the right photo" if kind else ""
    return (
        f'<li class="{kind}"><span class="{thumbnails.photo(photo)}" role="img" aria-label="{label}{right}" '
        f'title="{label}"></span><span class="score">{text}</span></li>'
    )


def _label(key: PhotoKey) -> str:
    return f"{key.category}/{key.photo_id}"
