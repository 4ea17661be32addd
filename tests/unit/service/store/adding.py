"""Adding to a store, and what is active in it."""

from __future__ import annotations

from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget, NewAdapter

SHOE = AdapterTarget("category", "shoe")


def add(store: OnlineStore, new: NewAdapter, max_adapters: int = 50, max_photos: int = 50) -> str:
    return store.add(new, max_adapters, max_photos).adapter_id


def active(store: OnlineStore, target: AdapterTarget = SHOE) -> str | None:
    return store.state().active.get(target)
