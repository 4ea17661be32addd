"""What a sketch is prepared for: the search says what its size, its place and the width of its lines mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Frame: TypeAlias = Literal["auto", "true", "false"]
"""Whether a drawing is cropped, centred and scaled as strokes are; auto: where its size and place say nothing."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """The search that a sketch is prepared for.

    `in_detail`: it tells photos of one category apart, which bold lines do better as they were drawn. `alone`: its
    photos show a thing alone on a plain ground, so that a small drawing means no small thing; under `frame="auto"`,
    drawings of up to 0.8 of the canvas are framed then.
    """

    frame: Frame = "auto"
    in_detail: bool = False
    alone: bool = False


ANYWHERE: Final = Purpose()
"""A search among photos of all kinds, of whose place in their pictures nothing is known."""

AS_DRAWN: Final = Purpose(frame="false")
"""No search: data sets' drawings lie where their photos have the thing."""
