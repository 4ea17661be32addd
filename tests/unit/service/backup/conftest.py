"""A service's folders with something in each: two indexes, two online stores, keys, quotas."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service.access.key_file import add_key
from service.access.keys import make_key
from service.backup.create import BackupRequest, create
from service.backup.places import Places
from service.config import Settings
from service.store.online_store import OnlineStore
from service.store.records import NewAdapter
from tests.unit.service.store.adding import add

MakeAdapter = Callable[..., NewAdapter]


def places_in(folder: Path, bundle: Path | None, **changes: object) -> Places:
    """A service that keeps everything below `folder`."""
    values: dict[str, object] = {"index": folder / "default", "bundle": bundle, "galleries": str(folder), **changes}
    return Places(Settings(**values))  # type: ignore[arg-type]


@pytest.fixture
def source(tmp_path: Path, shapes_index: Path, adaptable_bundle: Path, make_adapter: MakeAdapter) -> Places:
    places = places_in(tmp_path / "source", adaptable_bundle, max_adapters=7)
    for seed, name in enumerate(("default", "shop")):
        place = places.gallery(name)
        assert place is not None
        shutil.copytree(shapes_index, place.index)
        (place.index / "quotas.json").write_text(f'{{"max_adapters": {seed + 2}}}')
        store = OnlineStore(place.online, "bundle-a", 6)
        add(store, make_adapter(seed=seed))
        store.close()
    for name in ("ada", "ben"):
        add_key(places.keys, make_key(name, ("search",)).key)
    return places


@pytest.fixture
def archive(source: Places, tmp_path: Path) -> Path:
    path = tmp_path / "backup.tar"
    create(path, source, BackupRequest())
    return path
