"""Streaming: in order, bounded, overlapping, and deaf to one photo's troubles."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index_builder.artifact import make_thumbnail
from index_builder.embedding.base import EmbeddedPhoto
from index_builder.embedding.threads import ThreadedEmbedder
from index_builder.report import Skipped
from index_builder.sources.base import SourcePhoto
from index_builder.sources.exclusions import Exclusions
from index_builder.sources.folder import FolderSource
from models.arrays import Vectors
from models.bundle import ANYWHERE, Bundle, Encoder, ImageEncoder, ImageLimits, Pace, Preprocess, Purpose, Runtime


def embed_photos(
    root: Path, photos: Iterable[SourcePhoto], encoder: ImageEncoder, pace: Pace, limits: ImageLimits | None = None
) -> Generator[EmbeddedPhoto | Skipped, None, None]:
    return ThreadedEmbedder(encoder, limits or ImageLimits(), pace).embed(FolderSource.at(root, Exclusions()), photos)


@pytest.fixture
def encoder(tiny_bundle_dir: Path) -> Encoder:
    return Bundle.load(tiny_bundle_dir, Runtime(threads=1)).photo


@pytest.fixture
def listed(tmp_path: Path, draw_jpeg: Callable[..., bytes]) -> list[SourcePhoto]:
    """Twenty photos, every fifth broken."""
    for position in range(20):
        (tmp_path / f"{position:02d}.jpg").write_bytes(b"broken" if position % 5 == 0 else draw_jpeg(position))
    return [SourcePhoto(f"{position:02d}.jpg", "", f"{position:02d}.jpg") for position in range(20)]


@pytest.mark.parametrize("pace", [Pace(1, 1), Pace(2, 3), Pace(4, 64)])
def test_outcomes_come_in_order_whatever_the_pace(
    encoder: Encoder, listed: list[SourcePhoto], tmp_path: Path, pace: Pace
) -> None:
    outcomes = list(embed_photos(tmp_path, listed, encoder, pace))
    for position, outcome in enumerate(outcomes):
        if position % 5 == 0:
            assert isinstance(outcome, Skipped)
            assert (outcome.path, outcome.photo_id) == (listed[position].path, listed[position].photo_id)
            assert outcome.reason == "not_an_image"
        else:
            assert isinstance(outcome, EmbeddedPhoto)
            assert outcome.photo == listed[position]
            assert np.linalg.norm(outcome.vector) == pytest.approx(1.0, abs=1e-5)
    assert len(outcomes) == 20


class CountingEncoder:
    """The real encoder, with a count of the photos that went in and of the calls at once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._lock = threading.Lock()
        self.encoded = self.at_once = self.most_at_once = 0

    @property
    def preprocess(self) -> Preprocess:
        return self._encoder.preprocess

    @property
    def embedding_dim(self) -> int:
        return self._encoder.embedding_dim

    def view(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Image.Image:
        return self._encoder.view(image, purpose)

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Vectors:
        return self._encoder.prepare(image, purpose)

    def encode(self, batch: Vectors) -> Vectors:
        with self._lock:
            self.encoded += len(batch)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        result = self._encoder.encode(batch)
        with self._lock:
            self.at_once -= 1
        return result


def test_no_more_than_a_window_is_ahead_of_the_reader(
    encoder: Encoder, tmp_path: Path, draw_jpeg: Callable[..., bytes]
) -> None:
    (tmp_path / "one.jpg").write_bytes(draw_jpeg())
    endless = [SourcePhoto(f"{position}", "", "one.jpg") for position in range(5000)]
    counting = CountingEncoder(encoder)
    outcomes = embed_photos(tmp_path, endless, counting, Pace(2, 2))
    next(outcomes)
    outcomes.close()
    assert counting.encoded <= 2 * 2 * 8 + 2
    assert counting.most_at_once <= 2


def test_errors_of_the_encoder_are_raised(encoder: Encoder, listed: list[SourcePhoto], tmp_path: Path) -> None:
    class Broken(CountingEncoder):
        def encode(self, batch: Vectors) -> Vectors:
            raise RuntimeError("device lost")

    with pytest.raises(RuntimeError, match="device lost"):
        list(embed_photos(tmp_path, listed, Broken(encoder), Pace(2, 2)))


def test_a_vector_that_is_none_is_a_rejected_photo(encoder: Encoder, listed: list[SourcePhoto], tmp_path: Path) -> None:
    class NotANumber(CountingEncoder):
        def encode(self, batch: Vectors) -> Vectors:
            return super().encode(batch) * np.float32("nan")

    outcomes = list(embed_photos(tmp_path, listed[1:3], NotANumber(encoder), Pace(1, 2)))
    assert [isinstance(outcome, Skipped) and outcome.reason for outcome in outcomes] == ["no_embedding"] * 2


def test_a_file_that_goes_away_meanwhile_is_listed(encoder: Encoder, listed: list[SourcePhoto], tmp_path: Path) -> None:
    (tmp_path / "01.jpg").unlink()
    (outcome,) = embed_photos(tmp_path, listed[1:2], encoder, Pace(1, 1))
    assert isinstance(outcome, Skipped)
    assert outcome.reason == "missing"


@pytest.mark.parametrize(
    ("size", "expected"),
    [((512, 256), (256, 128)), ((100, 3000), (9, 256)), ((30, 20), (30, 20)), ((10_000, 1), (256, 1))],
)
def test_thumbnails_keep_their_shape(size: tuple[int, int], expected: tuple[int, int]) -> None:
    thumbnail = make_thumbnail(Image.new("RGB", size))
    assert Image.open(io.BytesIO(thumbnail.jpeg)).size == expected
