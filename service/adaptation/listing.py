"""Which adapters there are."""

from __future__ import annotations

from dataclasses import dataclass

from service.errors import CategoryAbsent, ProfileAbsent
from service.search.query import unknown_name
from service.search.retriever import Retriever
from service.store.records import AdapterRecord, AdapterTarget


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """A profile, the id of its active adapter, and how many adapters it has."""

    name: str
    active: str | None
    adapters: int


def adapters_of(retriever: Retriever, target: AdapterTarget) -> list[AdapterRecord]:
    """The adapters of a category or profile, the newest first; a category of the gallery may have none.

    Raises CategoryAbsent, ProfileAbsent.
    """
    adapters = retriever.store.list_adapters(target)
    # Before the gallery is asked: a category keeps its adapters when an index built since has no photo of it.
    if adapters:
        return adapters
    gallery = retriever.gallery()
    if target.scope == "profile":
        raise ProfileAbsent(unknown_name("profile", target.name, sorted(gallery.state.profiles)))
    known = gallery.view.categories()
    if target.name not in known:
        raise CategoryAbsent(unknown_name("category", target.name, list(known)))
    return []


def profiles_of(retriever: Retriever) -> list[ProfileRecord]:
    """Every profile that has adapters, by name."""
    adapters = [adapter for adapter in retriever.store.list_adapters() if adapter.target.scope == "profile"]
    profiles = []
    for name in sorted({adapter.target.name for adapter in adapters}):
        own = [adapter for adapter in adapters if adapter.target.name == name]
        active = next((adapter.adapter_id for adapter in own if adapter.state == "active"), None)
        profiles.append(ProfileRecord(name, active, len(own)))
    return profiles
