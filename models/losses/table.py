"""Every loss by its name: what the modules of this package's folders declare as `LOSS`.

The folders are searched when this module is imported, so a new file is all that a new loss needs here.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import models.losses
from models.losses.loss import Loss


def _declared() -> Mapping[str, Loss[Any]]:
    table: dict[str, Loss[Any]] = {}
    for folder in pkgutil.iter_modules(models.losses.__path__, "models.losses."):
        if not folder.ispkg:
            continue
        for module in pkgutil.iter_modules(import_module(folder.name).__path__, f"{folder.name}."):
            loss = import_module(module.name).LOSS
            assert isinstance(loss, Loss), f"{module.name}.LOSS is no Loss"
            assert loss.name not in table, f"two losses are called {loss.name}"
            table[loss.name] = loss
    return MappingProxyType(table)


LOSSES: Mapping[str, Loss[Any]] = _declared()
