"""Examples: sketches and photos pair up, name photos of the gallery, and do not contradict each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.bundle import ImageUnsupported, SketchEmpty
from service.adaptation.encoding import EncodedSketch, encode_photo, encode_sketch
from service.adaptation.examples import Examples, PhotoReference, SupportLimits, check_examples
from service.adaptation.support import SupportPhoto, reject_contradictions, resolve_photos, row_of
from service.errors import (
    BodyInvalid,
    PairContradictory,
    PairDuplicate,
    PhotoElsewhere,
    SupportMismatch,
    SupportOnePhoto,
    TooManyPairs,
    UnknownPhoto,
)
from service.search.retriever import Retriever
from service.store.records import AdapterTarget

Draw = Callable[[str, int], bytes]

BOX, ADA = AdapterTarget("category", "box"), AdapterTarget("profile", "ada")
LIMITS = SupportLimits(max_pairs=3, max_photos=2)


@pytest.mark.parametrize(
    ("sketches", "photos", "error"),
    [
        (1, ("a",), None),
        (1, (b"file",), None),
        (2, ("a", b"file"), None),
        (1, ("a", b"further", b"further"), None),
        (3, ("a", "b", "c"), None),
        (0, (), SupportMismatch),
        (0, ("a",), SupportMismatch),
        (2, ("a",), SupportMismatch),
        (1, ("a", "b"), SupportMismatch),  # an id without a sketch
        (4, ("a", "b", "c", "d"), TooManyPairs),
        (1, (b"1", b"2", b"3"), TooManyPairs),
    ],
)
def test_sketches_and_photos_pair_up(
    sketches: int, photos: tuple[PhotoReference, ...], error: type[Exception] | None
) -> None:
    examples = Examples((b"sketch",) * sketches, photos)
    if error is None:
        check_examples(examples, LIMITS)
    else:
        with pytest.raises(error):
            check_examples(examples, LIMITS)


def test_uploads_keep_their_number() -> None:
    examples = Examples((b"s", b"s"), ("a", b"one", b"two", b"three"))
    assert examples.uploads == [(1, b"one"), (2, b"two"), (3, b"three")]
    assert examples.further == (b"two", b"three")


def test_a_photo_id_is_a_row_of_the_target(retriever: Retriever) -> None:
    gallery = retriever.gallery()
    assert row_of(gallery, BOX, "box/3.png", 0) == retriever.index.photo("box/3.png").row
    assert row_of(gallery, ADA, "cross/1.png", 0) == retriever.index.photo("cross/1.png").row
    with pytest.raises(UnknownPhoto, match="example 3") as unknown:
        row_of(gallery, BOX, "box/9.png", 2)
    assert unknown.value.fields == (("photo_id.2", "box/9.png"),)
    with pytest.raises(PhotoElsewhere, match="of category 'cross', not of 'box'"):
        row_of(gallery, BOX, "cross/1.png", 0)


def test_uploads_join_the_gallery_unless_it_has_them(retriever: Retriever, draw: Draw, tmp_path: object) -> None:
    gallery = retriever.gallery()
    original = retriever.index.original("box/1.png")
    assert isinstance(original, Path)
    files: list[bytes] = [original.read_bytes(), draw("cross", 3) + b"other bytes", draw("cross", 3) + b"other bytes"]
    examples = Examples((b"s",) * 2, ("box/0.png", *files))
    uploads = {number: encode_photo(retriever, "box", data, number) for number, data in examples.uploads}
    new, photos = resolve_photos(gallery, BOX, examples, uploads)
    assert [one.photo.photo_id for one in new] == [uploads[2].photo.photo_id]  # the same file twice is one photo
    assert [photo.photo_id for photo in photos] == ["box/0.png", "box/1.png", *[uploads[2].photo.photo_id] * 2]
    for photo, row in ((photos[0], "box/0.png"), (photos[1], "box/1.png")):
        expected = retriever.index.vector(retriever.index.photo(row).row)
        assert photo.vector.tobytes() == np.asarray(expected).tobytes()


def sketch(digest: bytes) -> EncodedSketch:
    return EncodedSketch(b"", np.zeros(2, np.float32), digest)


def photo(photo_id: str) -> SupportPhoto:
    return SupportPhoto(photo_id, np.zeros(2, np.float32), None)


@pytest.mark.parametrize(
    ("digests", "photos", "error"),
    [
        ("a", "1", None),
        ("ab", "12", None),
        ("abc", "112", None),  # two drawings of one photo
        ("aa", "11", PairDuplicate),
        ("aa", "12", PairContradictory),
        ("aba", "121", PairDuplicate),
        ("ab", "11", SupportOnePhoto),
    ],
)
def test_contradictions_are_rejected(digests: str, photos: str, error: type[Exception] | None) -> None:
    pairs = [sketch(digest.encode()) for digest in digests], [photo(photo_id) for photo_id in photos]
    if error is None:
        reject_contradictions(*pairs)
    else:
        with pytest.raises(error):
            reject_contradictions(*pairs)


def test_one_drawing_in_two_files_has_one_digest(retriever: Retriever, draw: Draw) -> None:
    first, again = (encode_sketch(retriever, data, 0, BOX) for data in (draw("box", 1), draw("box", 1) + b"trailing"))
    other = encode_sketch(retriever, draw("box", 2), 1, BOX)
    assert first.digest == again.digest != other.digest
    assert first.vector.tobytes() == again.vector.tobytes()
    assert first.data != again.data


def test_an_image_that_cannot_be_used_is_named_by_its_number(retriever: Retriever) -> None:
    with pytest.raises(BodyInvalid, match="sketch 2:"):
        encode_sketch(retriever, b"{}", 1, BOX)
    with pytest.raises(ImageUnsupported, match="photo 4:"):
        encode_photo(retriever, "box", b"no photo", 3)
    blank = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'
    with pytest.raises(SketchEmpty, match="sketch 1:"):
        encode_sketch(retriever, blank, 0, BOX)


def test_an_uploaded_photo_is_what_the_index_would_hold(retriever: Retriever) -> None:
    original = retriever.index.original("cross/2.png")
    assert isinstance(original, Path)
    new = encode_photo(retriever, "cross", original.read_bytes(), 0)
    indexed = retriever.index.photo("cross/2.png")
    assert new.photo.vector is not None
    np.testing.assert_allclose(new.photo.vector, retriever.index.vector(indexed.row), atol=1e-6)
    assert (new.photo.sha256, new.photo.width, new.photo.height) == (indexed.sha256, indexed.width, indexed.height)
    assert new.thumbnail.jpeg == retriever.index.thumbnail("cross/2.png").jpeg
