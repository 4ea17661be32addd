"""The images of a report: small, each in the page once however often it is shown."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from PIL import Image

from models.bundle import ANYWHERE, ImageEncoder, ImageError, Purpose, SketchEmpty, SketchSolid, decode_image
from models.data.datasets import Photo, SketchRecord
from models.evaluation.errors import PicturesUnusable

THUMBNAIL_PX = 144
MOST_PICTURES = 24
PICTURE_PX = 1200

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Picture:
    """A picture made elsewhere, such as attention maps, which need torch. `uri` holds all of it."""

    caption: str
    uri: str


def read_pictures(folder: Path) -> tuple[Picture, ...]:
    """The pictures of a folder in order of their names, which become captions; shrunk to 1200 px.

    Raises PicturesUnusable when there are none, or more than 24; ImageError when one cannot be read.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES) if folder.is_dir() else []
    if not 0 < len(paths) <= MOST_PICTURES:
        raise PicturesUnusable(f"{folder} holds {len(paths)} pictures; 1 to {MOST_PICTURES} go into a report")
    pictures = []
    for path in paths:
        image = decode_image(path.read_bytes()).image
        image.thumbnail((PICTURE_PX, PICTURE_PX))
        pictures.append(Picture(path.stem.replace("_", " "), _data_uri(image, "JPEG", quality=85)))
    return tuple(pictures)


class Thumbnails:
    """Makes a CSS class of every requested image; `style()` has the rules that the page's head needs for them."""

    def __init__(self, sketch_encoder: ImageEncoder, purposes: Mapping[str, Purpose] = MappingProxyType({})) -> None:
        """Sketches are shown as this encoder sees them; `purposes`: by name, what they are prepared for."""
        self._encoder = sketch_encoder
        self._purposes = purposes
        self._classes: dict[tuple[str, str], str] = {}
        self._rules: list[str] = []

    def sketch(self, record: SketchRecord) -> str:
        """Class names of the sketch; what the model cannot use is shown as it is, what cannot be read stays blank."""
        return self._class("sketch", record.sketch.name, lambda: self._sketch_uri(record))

    def photo(self, photo: Photo) -> str:
        """Class names of the photo; what cannot be read stays blank."""
        return self._class("photo", str(photo.path), lambda: _photo_uri(photo.path))

    def style(self) -> str:
        """The CSS rules of the images requested so far."""
        return "\n".join(self._rules)

    def _class(self, kind: str, name: str, uri: Callable[[], str]) -> str:
        if (kind, name) not in self._classes:
            try:
                # An image lies in a CSS rule, which the page can use any number of times and holds once.
                rule = f".i{len(self._rules)}{{background-image:url({uri()})}}"
            except (ImageError, OSError):
                # Remembered too, so that a broken file is not decoded again at every mention.
                self._classes[kind, name] = "picture"
            else:
                self._classes[kind, name] = f"picture i{len(self._rules)}"
                self._rules.append(rule)
        return self._classes[kind, name]

    def _sketch_uri(self, record: SketchRecord) -> str:
        drawn = record.sketch.image()
        # A drawing that the encoder turns away is worth seeing all the more.
        with suppress(SketchEmpty, SketchSolid):
            drawn = self._encoder.view(drawn, self._purposes.get(record.sketch.name, ANYWHERE))
        # PNG, because JPEG blurs thin strokes on white.
        return _data_uri(_shrunk(drawn.convert("L")), "PNG", optimize=True)


def _photo_uri(path: Path) -> str:
    image = decode_image(path.read_bytes(), draft_px=THUMBNAIL_PX).image
    return _data_uri(_shrunk(image), "JPEG", quality=80)


def _shrunk(image: Image.Image) -> Image.Image:
    small = image.copy()
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.LANCZOS)
    return small


def _data_uri(image: Image.Image, format: str, **options: object) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return f"data:image/{format.lower()};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
