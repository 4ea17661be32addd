"""What a search is narrowed and done by, beside the sketch; and what to say of a name that the gallery lacks."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeAlias

from models.adapters import StyleAdapter
from models.bundle import AloneShares, Focus, Frame, Purpose
from service.search.paging import Page, digest_of

Mirror: TypeAlias = Literal["auto", "true", "false"]
"""Whether photos are compared with the mirrored drawing as well; auto: those of categories that face one way."""


class OwnStyle(Protocol):
    """The style of whoever searches, which follows the key from gallery to gallery."""

    @property
    def bundle_id(self) -> str:
        """Of the encoders whose sketches it moves."""

    def active(self) -> str | None:
        """The id of its adapter; None for no style yet."""

    def adapter(self, adapter_id: str) -> StyleAdapter | None:
        """The adapter of that id; None where it was deleted meanwhile."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """How a sketch is searched for: at most `k` photos, those of any of `categories` that meet all `filters` (as text).

    `exact`: score every photo. `adapt`: through active adapters. `profile`: whose way of drawing it is. `focus`: what
    photos are compared by; None: within one category the layout, else layout and kind. `mirror`: whether
    the mirrored drawing is compared as well. `frame`: whether the drawing is brought to the size and place of strokes.
    `group_duplicates`: photos that look the same are one result, so `k` counts groups of them.
    `cursor`: of the page that is answered; None: the first. `text`: words that the photos have; empty: any.
    `own`: the style to search in where no `profile` is named.
    """

    k: int = 10
    categories: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    min_score: float | None = None
    exact: bool = False
    adapt: bool = True
    profile: str | None = None
    focus: Focus | None = None
    mirror: Mirror = "auto"
    frame: Frame = "auto"
    group_duplicates: bool = False
    cursor: str | None = None
    text: str = ""
    own: OwnStyle | None = field(default=None, compare=False)

    @property
    def is_plain(self) -> bool:
        """Whether it is a first page of everything, for which no photo is looked up by what it is."""
        narrowed = self.categories or self.filters or self.text or self.profile or self.cursor
        return not (narrowed or self.exact or self.group_duplicates) and self.mirror != "true"

    def purpose(self, alone: AloneShares | None) -> Purpose:
        """What its sketch is prepared for; `alone`: of the gallery, None where that does not count."""
        names = {unicodedata.normalize("NFC", category) for category in self.categories}
        return Purpose(
            self.frame,
            in_detail=len(names) == 1 and self.focus in (None, "detail"),
            alone=alone is not None and alone.holds(names),
        )

    def digest(self, sketched: tuple[object, ...]) -> str:
        """Equal for equal queries of the same sketch, or photo: what pages of one ranking have in common."""
        narrowed = (self.categories, self.filters, self.min_score)
        compared = (self.adapt, self.profile, self.focus, self.mirror, self.frame)
        more = [*(["groups"] if self.group_duplicates else []), *([("text", self.text)] if self.text else [])]
        return digest_of(*sketched, narrowed, compared, *more)


def deepened(query: SearchQuery, page: Page) -> SearchQuery:
    """The query for all photos up to the end of a page. Behind the first one every photo is scored: see `paging`."""
    k, exact = page.before + page.k, query.exact or not page.is_first
    return query if (query.k, query.exact) == (k, exact) else replace(query, k=k, exact=exact)


OWN_MARK = "@"
"""What names of profiles begin with that belong to an API key, and are for nobody else to see."""


def named_profiles(profiles: Iterable[str]) -> list[str]:
    """The profiles that everybody may use, by name."""
    return sorted(name for name in profiles if not name.startswith(OWN_MARK))


def unknown_name(kind: str, name: str, known: Sequence[str]) -> str:
    """The message for a name that is not among `known`: it gives the close ones, or some of those there are."""
    by_fold = {other.casefold(): other for other in known}
    close = [by_fold[fold] for fold in difflib.get_close_matches(name.casefold(), by_fold, n=3, cutoff=0.5)]
    hint = f"close ones are {', '.join(close)}" if close else f"there are {len(known)}, such as {', '.join(known[:3])}"
    return f"there is no {kind} {name!r}; {hint if known else 'there are none'}"
