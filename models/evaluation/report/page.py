"""The page of a report: what was measured, how well it went, and what it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from models.data.datasets import PairDataset, summarise
from models.evaluation.dataset_evaluation import Evaluation
from models.evaluation.encoders import EncoderPair, HogPair
from models.evaluation.intervals import RESAMPLES
from models.evaluation.paired import Paired
from models.evaluation.rankings import SHOWN, Protocol
from models.evaluation.report.calibration import reliability_chart, reliability_hint
from models.evaluation.report.figures import between, category_table, comparison, curve, percent, tiles
from models.evaluation.report.frame import facts_list, html_document
from models.evaluation.report.pictures import Picture, Thumbnails
from models.evaluation.report.query_results import query_results
from models.evaluation.report.selection import ROWS_OF_A_CATEGORY, sample, worst, worst_categories

_LISTED_UNUSABLE = 50


@dataclass(frozen=True)
class Report:
    """What the page shows. `seed` chooses the sample; `pictures` are an optional section, such as attention maps.

    `against`: a competitor's name, and each evaluation compared with the competitor's.
    """

    encoders: EncoderPair
    dataset: PairDataset
    evaluations: Sequence[Evaluation]
    made_at: datetime
    seed: int = 0
    pictures: Sequence[Picture] = ()
    against: tuple[str, Sequence[Paired]] | None = None


def report_page(report: Report) -> str:
    """One HTML document that needs nothing but itself. Reads the images that it shows."""
    purposes = {
        record.sketch.name: purpose
        for evaluation in report.evaluations
        for record, purpose in zip(evaluation.records, evaluation.purposes, strict=True)
    }
    thumbnails = Thumbnails(report.encoders.sketch, purposes)
    body: list[str] = []
    for number, evaluation in enumerate(report.evaluations):
        against = (report.against[0], report.against[1][number]) if report.against is not None else None
        body += _split_sections(evaluation, report.seed, thumbnails, against)
    body += [_attention(report.pictures), _method(report)]
    return html_document(
        "Does the sketch find its photo?",
        body,
        title=f"{report.dataset.name}: retrieval by sketch",
        style=thumbnails.style(),
        header=facts_list(_facts(report)),
    )


def _facts(report: Report) -> tuple[tuple[str, str], ...]:
    return (
        ("Bundle", report.encoders.bundle_id),
        ("Data", f"{report.dataset.name} ({report.dataset.format})"),
        ("Protocol", report.evaluations[0].protocol.value),
        *((("Searched", "both ways round"),) if report.evaluations[0].mirror else ()),
        ("Measured", f"{report.made_at:%Y-%m-%d %H:%M} UTC"),
    )


def _split_sections(
    evaluation: Evaluation, seed: int, thumbnails: Thumbnails, against: tuple[str, Paired] | None
) -> list[str]:
    figures = evaluation.served.overall.figures
    drawn = len({record.photo for record in evaluation.records})
    where = (
        f"all {figures.photos:,} photos"
        if evaluation.protocol is Protocol.GALLERY
        else f"the photos of its own category ({figures.photos:,} in {_categories(figures.categories)})"
    )
    lead = f"{figures.queries:,} sketches of {drawn:,} photos, each searched among {where}."
    name = f"Split <em>{escape(evaluation.split)}</em>" if evaluation.split else "The whole set"
    return [
        f'<section class="overall"><h2>{name}</h2><p class="lead">{lead}</p>{tiles(evaluation)}</section>',
        comparison(*against) if against is not None else "",
        f'<div class="columns"><section><h3>acc@k</h3>{curve(evaluation.served.curve)}<p class="hint">Share of '
        "sketches, in per cent, whose photo is among the first k; the band is the 95 % interval.</p></section>"
        f"<section><h3>Categories</h3>{category_table(evaluation)}</section></div>",
        _reliability(evaluation),
        _results_section(
            "A sample",
            "One drawn from each twelfth of the sketches, the best ranked first.",
            query_results(evaluation, sample(evaluation, seed), thumbnails),
        ),
        _worst(evaluation, thumbnails),
        _worst_categories(evaluation, thumbnails),
        _unusable(evaluation),
    ]


def _reliability(evaluation: Evaluation) -> str:
    if evaluation.reliability is None:
        return ""
    right = "shows the sketch's category" if evaluation.protocol is Protocol.GALLERY else "is the very photo"
    return (
        f"<section><h3>Confidence</h3>{reliability_chart(evaluation.reliability)}"
        f'<p class="hint">A first result is right where it {right}. {reliability_hint(evaluation.reliability)}</p>'
        "</section>"
    )


def _results_section(heading: str, hint: str, articles: str) -> str:
    more = f"The right photo is framed; beyond the first {SHOWN} it stands at the end, with its rank."
    return f'<section><h3>{heading}</h3><p class="hint">{hint} {more}</p>{articles}</section>'


def _worst(evaluation: Evaluation, thumbnails: Thumbnails) -> str:
    rows = worst(evaluation)
    results = query_results(evaluation, rows, thumbnails)
    return _results_section("The worst", "Whose photo is ranked last; one sketch per photo.", results) if rows else ""


def _worst_categories(evaluation: Evaluation, thumbnails: Thumbnails) -> str:
    parts = []
    for name in worst_categories(evaluation):
        measured = evaluation.served.categories[name]
        interval = measured.intervals["acc_at_1"] if measured.intervals else None
        parts.append(
            f"<h4>{escape(name)} <span>acc@1 {percent(measured.figures.acc_at_1)} % ({between(interval)}), mean rank "
            f"{measured.figures.mean_rank:.1f} among {measured.figures.photos:,}</span></h4>"
            + query_results(evaluation, worst(evaluation, ROWS_OF_A_CATEGORY, name), thumbnails)
        )
    return f"<section><h3>The worst categories</h3>{''.join(parts)}</section>" if parts else ""


def _unusable(evaluation: Evaluation) -> str:
    named = [
        (evaluation.records[row].sketch.name, reason) for row, reason in sorted(evaluation.unusable_sketches.items())
    ] + [(str(evaluation.photos[row].path.name), reason) for row, reason in sorted(evaluation.unusable_photos.items())]
    if not named:
        return ""
    listed = "".join(f"<li><b>{escape(name)}</b>: {escape(why)}</li>" for name, why in named[:_LISTED_UNUSABLE])
    more = f"<li>and {len(named) - _LISTED_UNUSABLE:,} more</li>" if len(named) > _LISTED_UNUSABLE else ""
    return f"<section><h3>Without an embedding, so missed ({len(named):,})</h3><ul>{listed}{more}</ul></section>"


def _attention(pictures: Sequence[Picture]) -> str:
    figures = "".join(
        f'<figure><img alt="{escape(p.caption)}" src="{p.uri}"><figcaption>{escape(p.caption)}</figcaption></figure>'
        for p in pictures
    )
    return f'<section><h3>Attention</h3><div class="pictures">{figures}</div></section>' if pictures else ""


def _method(report: Report) -> str:
    findings = report.dataset.findings
    noticed = f"<li>Noticed while the set was read: {escape(summarise(findings))}.</li>" if findings else ""
    searched = {
        Protocol.GALLERY: "all photos of the split together",
        Protocol.CATEGORY: "the photos of its own category, which the search is given",
    }[report.evaluations[0].protocol]
    return (
        '<section class="method"><h3>How this was measured</h3><ul>'
        f"<li>Every sketch is a query, searched among {searched}; photos without a sketch are searched as well.</li>"
        "<li>One photo is right: the one that the sketch was drawn from. So mAP is the mean of 1 / rank.</li>"
        f"<li>{_vectors_of(report.encoders)}</li>"
        f"{_scored_by(report.evaluations[0])}"
        "<li>Ties count against the query. An image without an embedding counts as last.</li>"
        f"<li>Intervals: 95 %, {RESAMPLES:,} bootstrap resamples of photos, each with all of its sketches. They hold "
        f"for other photos of these categories, not for other categories.</li>{noticed}</ul></section>"
    )


def _vectors_of(encoders: EncoderPair) -> str:
    if isinstance(encoders, HogPair):
        return "The embeddings are histograms of oriented gradients: nothing was learned."
    return "The embeddings come from the bundle's ONNX files, which are those that the service uses."


def _scored_by(evaluation: Evaluation) -> str:
    if evaluation.plain is None:
        return "<li>Photos are ranked by the cosine of sketch and photo, as the service scores such a search.</li>"
    return (
        "<li>Photos are ranked as the service scores such a search: by the cosine after the category mean is "
        "subtracted. <i>Plain</i> figures are those of the cosine alone.</li>"
    )


def _categories(count: int) -> str:
    return f"{count:,} {'category' if count == 1 else 'categories'}"
