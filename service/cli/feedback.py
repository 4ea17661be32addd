"""`inkseek adapters suggest`: where adapting from feedback would pay; it adapts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.markup import escape
from rich.table import Table

from models.console import fail, print_json, stdout
from models.errors import InkseekError
from service.adaptation.feedback import Suggestion, suggestions
from service.cli.options import AsJson, BundleOption, IndexDir, OnlineDir, settings_of
from service.runtime.serving import open_retriever
from service.store.feedback.pairs import FeedbackStore


def suggest(
    index: IndexDir = None,
    bundle: BundleOption = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Say where adapting to the feedback would pay: what is expected on other drawings, and how to do it."""
    settings = settings_of(as_json, index=index, bundle=bundle, online_dir=online_dir)
    try:
        with open_retriever(settings) as retriever:
            found = suggestions(retriever, FeedbackStore(retriever.store.folder), settings.max_pairs)
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"suggestions": [asdict(each) for each in found]})
        return
    if not found:
        stdout().print("no category has feedback on two photos or more")
        return
    stdout().print(_table(found))
    for each in found:
        if each.pays:
            command = f"inkseek adapters fit {each.category!r} --from-feedback"
            stdout().print(command, markup=False, highlight=False, soft_wrap=True)


def _table(found: Sequence[Suggestion]) -> Table:
    table = Table("category", "pairs", "photos", "expected change of 1 / rank", "verdict")
    for each in found:
        gain = "" if each.expected_gain is None else f"{each.expected_gain:+.3f}"
        verdict = "would pay" if each.pays else each.problem or "would not pay"
        table.add_row(escape(each.category), str(each.pairs), str(each.photos), gain, escape(verdict))
    return table
