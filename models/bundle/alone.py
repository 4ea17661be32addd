"""Galleries of things alone on a plain ground, such as a shop's or icons, told from scenes by a sample of their photos.

There the size and place of a thing in its photo say nothing, and a small drawing in the middle of a page means no small
thing. In scenes they say which photo is meant: Sketchy's sketches lie where their photos have the thing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Photos(Protocol[T_co]):
    """A list of photos or of their rows, or an array of rows."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, number: int, /) -> T_co:
        """One of them."""


WIDE_EXTENT = 0.8
"""Of the longer side: what covers more, a thing in its photo or a drawing on its page, has no wide margin."""

# Of shoes and chairs 0.89 to 1 of the photos show a thing alone, of icons 0.94 to 1 in each category; of Sketchy's 104
# categories none has more than 0.28. A search among both goes by what most photos are.
LEAST_SHARE = 0.5
MIN_PHOTOS = 12  # per category: what has fewer goes by the whole gallery
_SAMPLED_PHOTOS = 16  # per category: what separates products from scenes is larger than their errors
_SAMPLED_OF_ALL = 128


class AloneShares(BaseModel):
    """How many of the photos show a thing alone, in [0, 1]: `overall`, and of categories with enough photos."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overall: float = Field(ge=0, le=1)
    categories: dict[str, float] = {}

    def holds(self, categories: Collection[str] = ()) -> bool:
        """Whether a search of these categories, or of everything, is one among things alone."""
        shares = [self.categories.get(name, self.overall) for name in categories] or [self.overall]
        return min(shares) >= LEAST_SHARE

    @property
    def exceptions(self) -> list[str]:
        """Categories for which it holds where it does not overall, or the other way round, by name.

        Without "", that of photos of no category, which no search names.
        """
        return sorted(name for name in self.categories if name and self.holds([name]) != self.holds())


def alone_shares(
    every: Photos[T],
    categories: Mapping[str, Photos[T]],
    is_alone: Callable[[T], bool],
    known: Mapping[str, float] = MappingProxyType({}),
) -> AloneShares:
    """Measured on photos of a gallery, evenly spread: at most 128 of all, and 16 of each category that has 12 or more.

    `is_alone`: see `ground.stands_alone`. `known`: shares of categories that are taken as they are.
    """

    def share(photos: Photos[T], most: int) -> float:
        count = min(len(photos), most)
        found = sum(is_alone(photos[len(photos) * number // count]) for number in range(count))
        return round(found / max(1, count), 4)

    return AloneShares(
        overall=share(every, _SAMPLED_OF_ALL),
        categories={
            name: known[name] if name in known else share(photos, _SAMPLED_PHOTOS)
            for name, photos in categories.items()
            if len(photos) >= MIN_PHOTOS
        },
    )
