"""The profile of the request's key: `@key` among the profiles, and the default of its searches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from fastapi import Request

from service.adaptation.targets import OWN, OwnProfile, adapter_target
from service.errors import KeyRequired, NameInvalid, UnknownProfile
from service.http.admission.auth import principal_of
from service.http.serving import process_of, serving_of
from service.search.query import OWN_MARK, SearchQuery
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget, Scope


def own_profile_of(request: Request) -> OwnProfile | None:
    """The profile of the request's key, whether or not there is anything in it; None without a key."""
    key_id = principal_of(request).key_id
    return None if key_id is None else OwnProfile(key_id, process_of(request).serving.store)


def required_own_profile(request: Request) -> OwnProfile:
    """The same. Raises KeyRequired without a key."""
    own = own_profile_of(request)
    if own is None:
        raise KeyRequired(f"{OWN!r} is the profile of an API key: send one")
    return own


@contextmanager
def store_of_target(request: Request, scope: Scope, name: str) -> Iterator[tuple[OnlineStore, AdapterTarget]]:
    """Where the adapters of a category or profile are, and its target. Raises NameInvalid, KeyRequired."""
    if is_own(scope, name):
        own = required_own_profile(request)
        yield own.store, own.target
        return
    with serving_of(request) as retriever:
        yield retriever.store, adapter_target(scope, name)


def is_own(scope: Scope, name: str) -> bool:
    """Whether that is the profile of the request's key. Raises NameInvalid for that of another."""
    if scope == "profile" and name.startswith(OWN_MARK) and name != OWN:
        raise NameInvalid(f"names of profiles that begin with {OWN_MARK!r} are for keys; {OWN!r} is that of yours")
    return scope == "profile" and name == OWN


def in_own_style(request: Request, query: SearchQuery) -> SearchQuery:
    """The query in the style of the request's key, where it names no profile. Raises UnknownProfile, KeyRequired."""
    if query.profile is None:
        return replace(query, own=own_profile_of(request))
    if not query.profile.startswith(OWN_MARK):
        return query
    if query.profile != OWN or (own := required_own_profile(request)).active() is None:
        raise UnknownProfile(f"there is no profile {query.profile!r}")
    return replace(query, profile=None, own=own)
