"""The background check of the online store: metrics, warnings of what is stale, adapters made ready to score with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

from service.runtime.serving import Serving
from service.search.gallery import Gallery
from service.store.state.online_state import OnlineState

_log = logging.getLogger("inkseek.service")

Report: TypeAlias = Callable[[OnlineState], None]
"""Sets the metrics of what a store holds."""

_PREPARED_AT_ONCE = 16  # of a store with more adapters than that, the rest is prepared by the first search


class OnlineMonitor:
    """Searches see every change without it: it reports, and saves the first search after a change the preparation."""

    def __init__(self, serving: Serving, report: Report) -> None:
        """Nothing is read before `check`, which calls `report` each time."""
        self._serving = serving
        self._report = report
        self._outdated: set[str] = set()
        self._unseen_photos = 0
        self._problem: str | None = None
        self._prepared: set[str] = set()

    def check(self) -> None:
        """Report what is adapted in the metrics, and in the log which adapters have to be fitted anew. Never raises."""
        try:
            with self._serving.borrow() as retriever:
                state = retriever.store.state()
                self._make_ready(retriever.gallery())
        except Exception as error:  # whatever it is, answers do without, and the next check may find it mended
            if str(error) != self._problem:
                _log.error("the online store: %s", error)
            self._problem = str(error)
            return
        self._problem = None
        self._report(state)
        self._warn_of_stale(state)

    def forget_prepared(self) -> None:
        """Another index version is in service: prepare every active adapter again."""
        self._prepared = set()

    def _warn_of_stale(self, state: OnlineState) -> None:
        for adapter in state.outdated:
            if adapter.adapter_id not in self._outdated:
                _log.warning(
                    "%s of %s is stale: it was fitted for bundle %s. It is not applied until `inkseek adapters refit`",
                    adapter.adapter_id, adapter.target, adapter.bundle_id,
                )  # fmt: skip
        unseen = sum(photo.vector is None for photo in state.photos)
        if unseen and unseen != self._unseen_photos:
            _log.warning("%d uploaded photos cannot be found by this bundle until `inkseek adapters refit`", unseen)
        self._outdated, self._unseen_photos = {adapter.adapter_id for adapter in state.outdated}, unseen

    def _make_ready(self, gallery: Gallery) -> None:
        active = {id_: target for target, id_ in gallery.state.active.items() if target.scope == "category"}
        for adapter_id in list(active.keys() - self._prepared)[:_PREPARED_AT_ONCE]:
            if active[adapter_id].name in gallery.view.categories():
                gallery.scorer(active[adapter_id].name, fitted=True)
        self._prepared = set(active)
