"""Which adapters there are."""

from __future__ import annotations

from dataclasses import dataclass

from service.adaptation.targets import OWN, OwnProfile
from service.errors import CategoryAbsent, ProfileAbsent
from service.search.query import named_profiles, unknown_name
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
        raise ProfileAbsent(unknown_name("profile", target.name, named_profiles(gallery.state.profiles)))
    known = gallery.view.categories()
    if target.name not in known:
        raise CategoryAbsent(unknown_name("category", target.name, list(known)))
    return []


def profiles_of(retriever: Retriever) -> list[ProfileRecord]:
    """Every profile that has adapters, by name, but for those of keys."""
    adapters = [adapter for adapter in retriever.store.list_adapters() if adapter.target.scope == "profile"]
    profiles = []
    for name in named_profiles({adapter.target.name for adapter in adapters}):
        own = [adapter for adapter in adapters if adapter.target.name == name]
        active = next((adapter.adapter_id for adapter in own if adapter.state == "active"), None)
        profiles.append(ProfileRecord(name, active, len(own)))
    return profiles


def own_adapters(own: OwnProfile) -> list[AdapterRecord]:
    """The adapters of a key's profile, the newest first. Raises ProfileAbsent where it has none."""
    adapters = own.store.list_adapters(own.target)
    if not adapters:
        raise ProfileAbsent("the key has no profile yet")
    return adapters


def own_record(own: OwnProfile) -> list[ProfileRecord]:
    """The key's profile as the API calls it; nothing where it has no adapters."""
    adapters = own.store.list_adapters(own.target)
    active = next((adapter.adapter_id for adapter in adapters if adapter.state == "active"), None)
    return [ProfileRecord(OWN, active, len(adapters))] if adapters else []
