"""The one embed call: the same vectors from every kind of file, on the modality's matte, streaming, errors in place."""

from __future__ import annotations

import gc
import io
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.arrays import Vectors
from models.bundle import (
    ANYWHERE,
    Bundle,
    Embedded,
    Encoder,
    ImageEncoder,
    ImageError,
    ImageFile,
    ImageLimits,
    ImageTooLarge,
    ImageUnreadable,
    ImageUnsupported,
    Pace,
    Purpose,
    Runtime,
    SketchEmpty,
    Unusable,
    embed,
    embed_stream,
    embedding,
)
from models.bundle.embedding import WrappedEncoder
from models.turns import Turns


@pytest.fixture(scope="module")
def bundle(tiny_bundle_dir: Path) -> Bundle:
    return Bundle.load(tiny_bundle_dir, Runtime(device="cpu", threads=1))


def drawing(number: int = 0) -> Image.Image:
    image = Image.new("RGB", (48, 40), "white")
    ImageDraw.Draw(image).rectangle((4 + number % 20, 6, 20 + number % 20, 12 + number % 17), fill=(30, 60, 20))
    return image


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def light_on_transparency() -> Image.Image:
    """A nearly white bar on a transparent ground."""
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((8, 8, 30, 14), fill=(250, 250, 250, 255))
    return image


def naively(encoder: Encoder, image: Image.Image) -> Vectors:
    vector: Vectors = encoder.encode(encoder.prepare(image)[None])[0]
    return vector


@pytest.mark.parametrize("modality", ["sketch", "photo"])
@pytest.mark.parametrize("pace", [Pace(), Pace(1, 1), Pace(2, 3)])
def test_bytes_paths_images_and_calls_give_the_same_vector(
    bundle: Bundle, tmp_path: Path, modality: str, pace: Pace
) -> None:
    encoder: Encoder = getattr(bundle, modality)
    image, path = drawing(), tmp_path / "a.png"
    path.write_bytes(png(image))
    files: list[ImageFile] = [png(image), path, image, lambda: image, path.read_bytes]
    vectors = encoder.embed(files, pace=pace)
    assert vectors.shape == (5, bundle.embedding_dim)
    for vector in vectors:
        np.testing.assert_allclose(vector, naively(encoder, image), atol=1e-6)


@pytest.mark.parametrize("opened", [False, True])
def test_light_things_on_transparency_lie_on_the_ground_that_shows_them(bundle: Bundle, opened: bool) -> None:
    image = light_on_transparency()
    file = image if opened else png(image)
    on: dict[str, Image.Image] = {}
    for ground in ("white", "black"):
        on[ground] = Image.new("RGB", image.size, ground)
        on[ground].paste(image, mask=image.getchannel("A"))
    np.testing.assert_allclose(bundle.photo.embed([file])[0], naively(bundle.photo, on["black"]), atol=1e-6)
    np.testing.assert_allclose(bundle.sketch.embed([file])[0], naively(bundle.sketch, on["black"]), atol=1e-6)
    assert abs(float(bundle.photo.embed([file])[0] @ naively(bundle.photo, on["white"]))) < 0.9
    with pytest.raises(SketchEmpty):
        bundle.sketch.prepare(on["white"])  # nothing would be left of the drawing


def test_an_open_image_is_turned_upright_as_its_file_is(bundle: Bundle) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    drawing().transpose(Image.Transpose.ROTATE_90).save(buffer, "PNG", exif=exif.tobytes())
    with Image.open(io.BytesIO(buffer.getvalue())) as opened:
        read = bundle.photo.read(opened)
    np.testing.assert_array_equal(read.pixels, bundle.photo.prepare(drawing()))
    assert (read.decoded.width, read.decoded.height) == (48, 40)
    assert read.file == b""


def test_order_is_kept_and_every_error_stands_at_its_position(bundle: Bundle, tmp_path: Path) -> None:
    absent = tmp_path / "absent.png"
    blank = png(Image.new("RGB", (32, 32), "white"))
    files = [png(drawing(number)) for number in range(40)]
    bad = {3: b"just words", 17: blank, 18: b"", 39: files[39][:-30]}
    mixed = [bad.get(number, data) for number, data in enumerate(files)]
    for pace in (Pace(4, 1), Pace(3, 4)):
        outcomes = list(bundle.sketch.embed_stream([*mixed, absent], lambda image: len(image.file), pace=pace))
        assert [outcome.position for outcome in outcomes] == list(range(41))
        errors = {o.position: type(o.error) for o in outcomes if isinstance(o, Unusable)}
        expected = {3: ImageUnsupported, 17: SketchEmpty, 18: ImageUnreadable, 39: ImageUnreadable}
        assert errors == {**expected, 40: FileNotFoundError}
        for outcome in outcomes:
            if isinstance(outcome, Embedded):
                assert outcome.kept == len(files[outcome.position])
                expected_vector = naively(bundle.sketch, drawing(outcome.position))
                np.testing.assert_allclose(outcome.vector, expected_vector, atol=1e-6)


def test_embed_raises_at_the_first_unusable_image_and_names_it(bundle: Bundle, tmp_path: Path) -> None:
    good, broken = png(drawing()), tmp_path / "broken.png"
    broken.write_bytes(good[:50])
    with pytest.raises(ImageUnreadable, match=r"^image 2: .*broken"):
        bundle.photo.embed([good, good[:50], b"words"])
    with pytest.raises(ImageUnreadable, match=r"broken\.png: .*truncated"):
        bundle.photo.embed([broken])
    with pytest.raises(FileNotFoundError, match=r"absent\.png"):
        bundle.photo.embed([tmp_path / "absent.png"])
    assert bundle.photo.embed([]).shape == (0, bundle.embedding_dim)


def test_limits_hold_for_files_and_a_large_file_is_not_read(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: reading it would end the test
    (outcome,) = bundle.photo.embed_stream([path], lambda _: None)
    assert isinstance(outcome, Unusable)
    assert isinstance(outcome.error, ImageTooLarge)
    assert outcome.file == path
    with pytest.raises(ImageTooLarge, match="1,920 pixels; at most 100 "):
        bundle.photo.embed([png(drawing())], ImageLimits(max_pixels=100))


def test_what_is_kept_may_reject_an_image(bundle: Bundle) -> None:
    def keep(read: object) -> str:
        raise ImageUnsupported("no thumbnail can be made of it")

    (outcome,) = bundle.photo.embed_stream([png(drawing())], keep)
    assert isinstance(outcome, Unusable)
    assert str(outcome.error) == "no thumbnail can be made of it"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stream_draws_and_holds_a_bounded_number_of_images(bundle: Bundle, workers: int) -> None:
    drawn = 0
    alive: list[weakref.ref[Image.Image]] = []

    def endless() -> Iterator[Image.Image]:
        nonlocal drawn
        while True:
            image = drawing(drawn)
            alive.append(weakref.ref(image))
            drawn += 1
            yield image

    stream = bundle.photo.embed_stream(endless(), lambda _: None, pace=Pace(4, workers))
    most = 0
    for taken, _ in enumerate(stream, 1):
        most = max(most, drawn - taken)
        if taken == 400:
            break
    stream.close()
    assert most <= 4 * 8 * workers
    gc.collect()
    assert sum(ref() is not None for ref in alive) <= 4 * 8 * workers + 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("embed")]


class Failing:
    """An encoder whose device is gone."""

    def __init__(self, encoder: Encoder) -> None:
        self.preprocess, self.embedding_dim = encoder.preprocess, encoder.embedding_dim
        self.view, self.prepare = encoder.view, encoder.prepare

    def encode(self, batch: Vectors) -> Vectors:
        raise RuntimeError("the device is gone")


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_of_the_encoder_itself_are_raised(bundle: Bundle, workers: int) -> None:
    failing: ImageEncoder = Failing(bundle.photo)
    with pytest.raises(RuntimeError, match="device is gone"):
        list(embed_stream(failing, [drawing()] * 9, lambda _: None, pace=Pace(2, workers)))
    with pytest.raises(RuntimeError, match="device is gone"):
        embed(failing, [drawing()])


def test_batches_have_the_size_that_was_set(bundle: Bundle) -> None:
    sizes: list[int] = []

    class Counting(Failing):
        def encode(self, batch: Vectors) -> Vectors:
            sizes.append(len(batch))
            return bundle.photo.encode(batch)

    vectors = embed(Counting(bundle.photo), [drawing(number) for number in range(11)], pace=Pace(4))
    assert sizes == [4, 4, 3]
    expected = np.stack([naively(bundle.photo, drawing(number)) for number in range(11)])
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_a_jpeg_may_be_decoded_at_a_reduced_scale(bundle: Bundle) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (1600, 1200), (10, 200, 30)).save(buffer, "JPEG")
    read = bundle.photo.read(buffer.getvalue(), draft_px=160)
    assert (read.decoded.width, read.decoded.height) == (1600, 1200)
    assert 160 <= min(read.decoded.image.size) < 1200
    assert read.file == buffer.getvalue()
    assert read.pixels.shape == (3, 32, 32)


def test_only_errors_of_images_and_files_are_outcomes(bundle: Bundle) -> None:
    def mistaken() -> bytes:
        raise KeyError("a mistake in the caller")

    with pytest.raises(KeyError):
        list(bundle.photo.embed_stream([mistaken], lambda _: None))
    assert issubclass(SketchEmpty, ImageError)
    with pytest.raises(SketchEmpty, match=r"^image 1: "):
        replace(bundle).sketch.embed([Image.new("L", (32, 32), 255)])


@pytest.mark.parametrize(("reading_s", "encoding_s", "together"), [(0.0, 0.02, 1), (0.02, 0.0, 2)])
def test_batches_are_read_one_behind_the_other_while_that_is_the_shorter_part(
    bundle: Bundle, reading_s: float, encoding_s: float, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "Turns", partial(Turns, patience_s=60))
    lock, within, most = threading.Lock(), 0, 0

    @dataclass(frozen=True)
    class Slow(WrappedEncoder):
        def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Vectors:
            nonlocal within, most
            with lock:
                within += 1
                most = max(most, within)
            prepared = super().prepare(image, purpose)
            time.sleep(reading_s)
            with lock:
                within -= 1
            return prepared

        def encode(self, batch: Vectors) -> Vectors:
            vectors = super().encode(batch)
            time.sleep(encoding_s)
            return vectors

    outcomes = list(embed_stream(Slow(bundle.photo), [drawing()] * 12, lambda _: None, pace=Pace(1, 2)))
    assert [outcome.position for outcome in outcomes] == list(range(12))
    assert most == together
