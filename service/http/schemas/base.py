"""What all schemas share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

PHOTOS_PATH = "/v1/photos"

# Identifiers that the examples of all schemas have in common.
EXAMPLE_PHOTO_ID = "clothing/running-shoe.jpg"
EXAMPLE_OTHER_PHOTO_ID = "clothing/high-heeled-shoe.jpg"
EXAMPLE_METADATA = {"name": "running shoe", "set": "emoji_open"}
EXAMPLE_BUNDLE_ID = "inkseek-small-3f2a91c07d4e"
EXAMPLE_INDEX_VERSION = "000003-9b1c66d0e2aa"
EXAMPLE_CURSOR = "WzEsImQzSjVhMTB6UW5PTiIsIjB4QmNhN3p1UWVkViIsWzEsW11dXQ"
EXAMPLE_ADAPTATION_ID = "adaptive-4b1f09a2c77d"

Score = Annotated[float, Field(ge=-1.0, le=1.0, allow_inf_nan=False)]

FRAME = (
    "Whether the drawing in a picture is cropped, centred and scaled as strokes are, and ruled lines and borders "
    "around it are removed: `true`, always; `false`, never, it is taken as it lies on its canvas; `auto`, where the "
    "canvas is not square, or the drawing is small or in a corner, and among photos of things alone on a plain "
    "ground where it covers less than 0.8 of its canvas. Lines get one width unless it is `false`; within a single "
    "`category`, bold ones stay."
)


class Schema(BaseModel):
    """A JSON object without unknown fields.

    Responses are rendered as plain dicts, not as instances; a contract test validates every response.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class PhotoUrls:
    """The URLs of photos' pictures; paths, so that they hold behind any proxy's host name.

    `base_path`: what the paths of their gallery begin with. `suffixed_ids`: of the gallery, ids that end as those
    paths do; an id wins, so a picture whose path one of them has is asked for in the query.
    """

    base_path: str = "/v1"
    suffixed_ids: Collection[str] = frozenset()

    def of(self, photo_id: str) -> dict[str, str]:
        """`thumbnail_url` and `image_url` of a photo."""
        record = f"{self.base_path}/photos/{_quoted(photo_id)}"
        if self.suffixed_ids:
            return {f"{kind}_url": self._picture(record, photo_id, kind) for kind in ("thumbnail", "image")}
        return {"thumbnail_url": f"{record}/thumbnail", "image_url": f"{record}/image"}

    def _picture(self, record: str, photo_id: str, kind: str) -> str:
        return f"{record}?view={kind}" if f"{photo_id}/{kind}" in self.suffixed_ids else f"{record}/{kind}"


@lru_cache(16_384)
def _quoted(photo_id: str) -> str:
    return quote(photo_id, safe="/")


def present(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that a photo has: columns that are empty for it are left out."""
    return {name: value for name, value in metadata.items() if value is not None}


def rounded(timings_ms: Mapping[str, float]) -> dict[str, float]:
    """Timings to the microsecond."""
    return {stage: round(milliseconds, 3) for stage, milliseconds in timings_ms.items()}
