"""`inkseek adapters fit --deep`: what the service does as a job, in the command itself, with progress on stderr."""

from __future__ import annotations

from rich.progress import MofNCompleteColumn, Progress, TextColumn

from models.console import stderr
from service.adaptation.adapt import AdaptOptions
from service.adaptation.deep import DeepRequest, drawings_of, made, photos_to_draw, queued_request
from service.adaptation.encoding import encode_sketch
from service.adaptation.examples import Examples, check_examples
from service.adaptation.fit import check
from service.errors import SupportMismatch
from service.search.retriever import Retriever
from service.store.records import AdapterRecord, AdapterTarget


def fit_deep_here(
    retriever: Retriever, target: AdapterTarget, examples: Examples, options: AdaptOptions
) -> AdapterRecord:
    """Draw, fit, gate and store. Raises SupportError, ImageError, and as `service.adaptation.deep.made`."""
    if target.scope == "profile":
        raise SupportMismatch("a drawing style moves sketches alone, so it has no projection to tune: leave --deep out")
    request = DeepRequest(target.name, examples, options.force, options.dry_run, options.frame)
    queued_request(request)  # for what it rejects: uploads
    check_examples(examples, options.support)
    check(retriever, target, examples)
    if not options.dry_run:
        retriever.store.reject_when_full(target)
    columns = (TextColumn("{task.description}"), MofNCompleteColumn())
    with Progress(*columns, console=stderr(), transient=True) as progress:
        sketches = [
            encode_sketch(retriever, data, number, target, request.frame)
            for number, data in enumerate(progress.track(examples.sketches, description="encode"))
        ]
        names = photos_to_draw(retriever, request)
        drawings = {name: drawings_of(retriever, name) for name in progress.track(names, description="draw")}
        fitting = progress.add_task("fit", total=None)
        return made(
            retriever,
            request,
            sketches,
            drawings,
            (options.max_adapters, options.max_photos),
            lambda done, total: progress.update(fitting, completed=done, total=total),
        )
