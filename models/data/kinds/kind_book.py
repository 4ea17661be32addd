"""Names of things across all data sets -> kinds: what labels of a doodle, an emoji and a photograph have in common.

A kind is written as Quick, Draw! writes it, with underscores ("hot_dog"). The book knows which free-text names ("A loaf
of bread") say a kind, and which names must not be learned from, whatever the source: the standard unseen categories,
those of a validation split, and the `val` kinds of the table while a recipe is being chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from models.data.datasets.below import require_below
from models.data.datasets.files.tables import read_table
from models.data.datasets.unseen import STANDARD_UNSEEN, names_unseen
from models.data.kinds.same_names import SAME_NAMES, TREES


class KindsConfig(BaseModel):
    """`table`: below the data directory, with the columns kind, split and accepted_names (joined by |).

    `learn_val`: learn the kinds of its split `val` too. `unseen`: names that are not learned from beside the standard
    unseen categories, such as those of a validation split.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    learn_val: bool = False
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True)
class KindBook:
    """`accepted`: kind -> free-text names that say it. `val`: kinds that are not learned. `unseen`: nor these names."""

    accepted: Mapping[str, tuple[str, ...]]
    val: frozenset[str]
    unseen: tuple[str, ...]

    @classmethod
    def load(cls, data: Path, config: KindsConfig) -> KindBook:
        """Read the table below `data`. Raises DatasetNotFound, ColumnMissing, OSError."""
        require_below(data, [config.table])
        rows = read_table(data / config.table, ("kind", "split", "accepted_names"))
        accepted = {row["kind"]: tuple(name for name in row["accepted_names"].split("|") if name) for row in rows}
        val = frozenset() if config.learn_val else frozenset(row["kind"] for row in rows if row["split"] == "val")
        return cls(accepted, val, (*STANDARD_UNSEEN, *config.unseen))

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for kind, names in self.accepted.items():
            for name in names:
                found[name.lower()] = (*found.get(name.lower(), ()), kind)
        return found

    def of_doodle(self, category: str) -> tuple[str, ...]:
        """The kind of a Quick, Draw! category; () where it must not be learned, or is not in the table."""
        kind = category.replace(" ", "_")
        return (kind,) if kind in self.accepted and self.may_learn(kind) else ()

    def of_category(self, name: str) -> tuple[str, ...]:
        """The kind of a data set's category ("car_sedan"); () where it must not be learned."""
        kind = SAME_NAMES.get(name, name)
        return (kind,) if name not in TREES and self.may_learn(kind) else ()

    def of_name(self, name: str, doodle: str = "") -> tuple[str, ...]:
        """The kinds of a picture with a free-text name, the likeliest first; () where it must not be learned from.

        Where no doodle is called so, the name is a kind of its own. `doodle`: a Quick, Draw! category that the data
        set says of the picture, or nothing.
        """
        kinds = self._by_name.get(name.lower(), ())
        named = doodle.replace(" ", "_")
        kept_aside = any(kind in self.val for kind in kinds) or names_unseen(name, self.unseen)
        if kept_aside or (named and not self.may_learn(named)):
            return ()
        kinds = kinds or (name.lower().strip().replace(" ", "_"),)
        if named in self.accepted and named not in kinds:
            # What the set itself says goes first; a name that is no doodle's would be a second word for the same.
            return (named, *(kind for kind in kinds if kind in self.accepted))
        return kinds

    def may_learn(self, kind: str) -> bool:
        """Whether nothing that is kept unseen is called so."""
        return kind not in self.val and not names_unseen(kind.replace("_", " "), self.unseen)

    def is_measured(self, kind: str) -> bool:
        """Whether figures are reported on drawings of this kind: it is learned and some picture is named so."""
        return bool(self.accepted.get(kind)) and kind not in self.val


def compatible_kinds(kinds: Sequence[str], together: Iterable[tuple[str, ...]]) -> NDArray[np.bool_]:
    """(K, K): whether some picture has both kinds, so that neither is wrong where the other is right.

    `together`: the kinds of each picture, all of them among `kinds`. A kind is not compatible with itself.
    """
    number = {kind: row for row, kind in enumerate(kinds)}
    table = np.zeros((len(kinds), len(kinds)), dtype=bool)
    for names in set(together):
        rows = [number[name] for name in names]
        table[np.ix_(rows, rows)] = True
    np.fill_diagonal(table, False)
    return table
