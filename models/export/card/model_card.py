"""The model card that writes itself: what a bundle is, its figures, data, terms and making, out of its own manifest.

Nothing in it is written by hand but an introduction, where one is given, and the terms of data sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.bundle import BundleManifest
from models.errors import InkseekError
from models.export.card.tables import EvaluationUnfit, evaluation_table, split_table, table

NOT_STATED = "not stated"


class CardUnreadable(InkseekError):
    """A text for a model card cannot be read, or the card is not one that writes itself."""


def model_card(manifest: BundleManifest) -> str:
    """Markdown. `provenance` has `intro` and `evaluations` where such were given, and what `run_records` found."""
    sections = (_head(manifest), _figures(manifest), _evaluations(manifest), _data(manifest), _training(manifest))
    return "\n\n".join(section for section in sections if section) + "\n"


def read_text(file: Path) -> str:
    """A hand-written card or introduction. Raises CardUnreadable."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise CardUnreadable(f"{file} is no text that could go into a model card: {reason}") from error


def renewed(manifest: BundleManifest, intro: str | None, evaluations: Sequence[Mapping[str, Any]]) -> BundleManifest:
    """The manifest with this introduction, where there is one, and these evaluations beside those that it has.

    An evaluation takes the place of an earlier one on the same data, splits and kind of search. Raises CardUnreadable
    for a variant, whose card follows its parent's, and EvaluationUnfit for a document that is none of this bundle.
    """
    if "variant_of" in manifest.provenance:
        raise CardUnreadable(f"{manifest.bundle_id} is a variant: its card says how, and continues with its parent's")
    for document in evaluations:
        evaluation_table(document)
        if document.get("bundle_id") != manifest.bundle_id:
            raise EvaluationUnfit(f"it evaluates {document.get('bundle_id')}, and this bundle is {manifest.bundle_id}")
    kept = {_searched(each): each for each in (*(manifest.provenance.get("evaluations") or ()), *evaluations)}
    changes = {"evaluations": [_without_details(each) for each in kept.values()]} if kept else {}
    texts = {} if intro is None else {"intro": intro}
    return manifest.model_copy(update={"provenance": {**manifest.provenance, **changes, **texts}})


def _searched(document: Mapping[str, Any]) -> tuple[str, ...]:
    splits = sorted(document.get("splits") or ())
    how = (document["data"], document.get("gallery", ""), document.get("protocol", ""), document.get("mirror", ""))
    return (*map(str, how), *splits)


def _without_details(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the card shows, without the figures of each category and kind: the manifest is read at every start."""
    splits = {
        name: {key: value for key, value in split.items() if key in ("served", "chance_at_1")}
        for name, split in (document.get("splits") or {}).items()
    }
    kept = {
        name: value for name, value in document.items() if name not in ("by_kind", "not_encoded", "without_picture")
    }
    return {**kept, "splits": splits} if splits else kept


def _head(manifest: BundleManifest) -> str:
    experiment = _experiment(manifest)
    student = experiment.get("student") or {}
    prepare, photo_px = manifest.sketch.preprocess, manifest.photo.preprocess.size_px
    size = f"{prepare.size_px} x {prepare.size_px} px"
    if photo_px != prepare.size_px:
        size += f" of sketches, {photo_px} x {photo_px} px of photos"
    parts = manifest.parts
    divided = ""
    if parts is not None:
        divided = f": {parts.layout_dim} of the layout and {manifest.embedding_dim - parts.layout_dim} of the kind"
    rows = [
        ("students", f"form `{student.get('form', 'grid')}`, {size}"),
        ("embedding", f"{manifest.embedding_dim} numbers of length 1{divided}"),
        ("recipe", f"`{experiment.get('recipe', 'unknown')}`, {manifest.provenance.get('steps', '?'):,} steps"),
        ("small drawings", _framing(prepare.sketch)),
        ("photos on a plain ground", "are cut to what stands on it" if manifest.photo.preprocess.trim else "are whole"),
    ]
    intro = str(manifest.provenance.get("intro", "")).strip()
    default = (
        "An encoder of sketches and one of photos, into one space: a sketch finds the photo that it shows by the "
        "cosine of the two embeddings."
    )
    return f"# {manifest.name}\n\n{intro or default}\n\n{table(('', ''), rows)}"


def _framing(sketch: Any) -> str:
    if sketch is None or not sketch.min_extent:
        return "stay where they are"
    return f"that cover less than {100 * sketch.min_extent:.0f} % of the canvas are centred and enlarged"


def _figures(manifest: BundleManifest) -> str:
    splits = manifest.metrics.get("splits") or {}
    if not splits:
        return ""
    seen = _trained_on(_experiment(manifest), splits)
    said = ["## Figures"]
    if seen:
        said.append(
            f"**The run was trained on {', '.join(seen)}: its figures there say nothing about new photos.** Those of a "
            "run of the same recipe that left the split out are what to expect."
        )
    said.append(
        "Measured through the ONNX files of this bundle. Every sketch is a query, the gallery is all photos of its "
        "category. In per cent, with 95 % intervals over photos; `served` subtracts the category mean, as a search "
        "within a category does."
    )
    said.append(split_table(splits))
    parity = manifest.metrics.get("parity")
    if parity:
        said.append(f"The ONNX files differ from the trained weights by at most {parity['max_difference']:.1e}.")
    gate = manifest.metrics.get("gate")
    if gate:
        said.append(f"Gate: {gate}.")
    return "\n\n".join(said)


def _trained_on(experiment: Mapping[str, Any], splits: Mapping[str, Any]) -> list[str]:
    """Validation splits, of those measured, whose pairs the run was trained on."""
    also = set(experiment.get("also") or ())
    taught = {
        (each["folder"], split)
        for each in experiment.get("sets") or ()
        for split in ({each.get("split", "train"), *also} if each.get("split", "train") else ())
    }
    named = experiment.get("validation") or ()
    return [each["name"] for each in named if each["name"] in splits and (each["folder"], each["split"]) in taught]


def _evaluations(manifest: BundleManifest) -> str:
    documents: Sequence[Mapping[str, Any]] = manifest.provenance.get("evaluations") or ()
    if not documents:
        return ""
    return "\n\n".join(("## Further evaluations", *(evaluation_table(each) for each in documents)))


def _data(manifest: BundleManifest) -> str:
    experiment, records = _experiment(manifest), manifest.provenance.get("records") or {}
    stated: Mapping[str, str] = (experiment.get("about") or {}).get("terms") or {}
    rows = [
        (
            each["folder"],
            f"{each['photos']:,}",
            f"{each['sketches'] + each['labelled']:,}",
            f"{each['drawn']:,}",
            f"{each['left_out']:,}",
            each.get("terms") or stated.get(each["folder"], NOT_STATED),
        )
        for each in records.get("data") or ()
    ]
    said = ["## Trained on"]
    if rows:
        said.append(table(("data", "photos", "sketches", "drawn synthetically", "unusable, left out", "terms"), rows))
    else:
        folders = ", ".join(str(each["folder"]) for each in experiment.get("sets") or ()) or "unknown"
        said.append(f"Data sets: {folders}. The run's directory was not at hand, so there are no sizes.")
    if any(row[-1] == NOT_STATED for row in rows):
        said.append(
            "Terms that are not stated: ask whom the data is from before you pass the weights on. A line in TERMS.txt "
            "of the set's folder, or `[about.terms]` of the experiment, states them."
        )
    begun = [*_packages(records.get("pretrained"), "start"), *_packages(records.get("published_teachers"), "teacher")]
    if begun:
        said.append(table(("published weights", "used as", "terms"), begun))
    return "\n\n".join(said)


def _packages(weights: Any, use: str) -> Iterable[tuple[str, str, str]]:
    return ((f"{each['package']} {each['version']}", use, each["terms"]) for each in weights or ())


def _training(manifest: BundleManifest) -> str:
    experiment, records = _experiment(manifest), manifest.provenance.get("records") or {}
    training = experiment.get("student_training")
    if not training:
        return ""
    about = experiment.get("about") or {}
    plan = training["plan"]
    losses = [(name, _loss(name, term)) for name, term in training["losses"].items() if term.get("weight")]
    batch = experiment.get("batch") or {}
    facts = [
        ("steps", f"{manifest.provenance.get('steps', '?')} of {plan['steps']}"),
        ("pairs a step", f"{batch.get('pairs')} of {batch.get('groups')} categories"),
        ("optimiser", plan["optimiser"]),
        ("rate", f"{plan['rate']:g}, of new layers {plan.get('new_rate') or plan['rate']:g}"),
        ("weights averaged", f"{plan['ema_decay']:g}" if plan.get("ema_decay") else "no"),
        ("seed", str(experiment.get("seed"))),
        *_hashes(records.get("run") or {}),
        *((name, str(value)) for name, value in (records.get("environment") or {}).items()),
    ]
    said = ["## How it was trained", " ".join(str(about.get("source", "")).split())]
    said += [table(("loss", ""), losses), table(("", ""), facts)]
    if command := str(about.get("command", "")).strip():
        said.append("\n".join(f"    {line.strip()}" for line in command.splitlines()))
    return "\n\n".join(part for part in said if part)


def _loss(name: str, term: Mapping[str, Any]) -> str:
    part = f", on the {term['part']}" if term.get("part") else ""
    kind = term.get("loss") or name
    return f"`{kind}`, weight {term['weight']:g}{part}"


def _hashes(run: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What a run began with and learned from, by the first digits of its sha256."""
    if run.get("start_sha256"):
        yield "began with students", f"sha256 {run['start_sha256'][:12]}"
    teachers = run.get("teachers_sha256") or ([run["teacher_sha256"]] if run.get("teacher_sha256") else [])
    if teachers:
        yield "teachers", ", ".join(f"sha256 {each[:12]}" for each in teachers)


def _experiment(manifest: BundleManifest) -> Mapping[str, Any]:
    experiment = manifest.provenance.get("experiment")
    return experiment if isinstance(experiment, Mapping) else {}
