"""Results of single queries as HTML: a sketch, its first ten photos, the right one framed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from models.data.datasets import PhotoKey
from models.evaluation.dataset_evaluation import Evaluation
from models.evaluation.rankings import SHOWN
from models.evaluation.report.pictures import Thumbnails


def query_results(evaluation: Evaluation, rows: Sequence[int], thumbnails: Thumbnails) -> str:
    """One article per query."""
    return "".join(_query_result(evaluation, row, thumbnails) for row in rows)


def _query_result(evaluation: Evaluation, row: int, thumbnails: Thumbnails) -> str:
    record, rankings = evaluation.records[row], evaluation.served.rankings
    rank, searched = int(rankings.ranks[row]), int(rankings.searched[row])
    cells = []
    for photo, score in zip(rankings.first[row].tolist(), rankings.scores[row].tolist(), strict=True):
        # Rows of fewer than ten results are filled up with -1.
        if photo >= 0:
            key = evaluation.photos[photo].key
            cells.append(_cell(evaluation, photo, f"{score:.2f}", "right" if key == record.photo else "", thumbnails))
    if rank > SHOWN:
        own = next(number for number, photo in enumerate(evaluation.photos) if photo.key == record.photo)
        score = float(rankings.own_scores[row])
        text = f"#{rank:,} · {score:.2f}" if np.isfinite(score) else f"#{rank:,}"
        cells.append(_cell(evaluation, own, text, "right beyond", thumbnails))
    reason = evaluation.unusable_sketches.get(row)
    note = f'<p class="reason">without an embedding: {escape(reason)}</p>' if reason else ""
    name = record.sketch.name.rpartition("/")[2]
    quality = "first" if rank == 1 else "near" if rank <= SHOWN else "missed"
    return (
        f'<article class="query"><div class="sketched"><span class="{thumbnails.sketch(record)}" role="img" '
        f'aria-label="sketch of {escape(_label(record.photo))}"></span><div><b>{escape(_label(record.photo))}</b>'
        f'<span class="name">{escape(name)}</span><span class="rank {quality}">rank {rank:,} of {searched:,}</span>'
        f'</div></div><ol class="results">{"".join(cells)}</ol>{note}</article>'
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
