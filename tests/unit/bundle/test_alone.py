"""Galleries of things alone: which photos show one, and which searches are among such photos."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.bundle import AloneShares, alone_shares, stands_alone
from models.bundle.alone import LEAST_SHARE, MIN_PHOTOS


def product(ground: str = "white", box: tuple[int, int, int, int] = (60, 80, 140, 120)) -> Image.Image:
    image = Image.new("RGB", (200, 200), ground)
    ImageDraw.Draw(image).rectangle(box, fill="navy")
    return image


def scene() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    return Image.fromarray(noise)


@pytest.mark.parametrize("ground", ["white", "black", "skyblue"])
@pytest.mark.parametrize("box", [(60, 80, 140, 120), (6, 6, 193, 193)])
def test_a_thing_on_a_plain_ground_stands_alone(ground: str, box: tuple[int, int, int, int]) -> None:
    assert stands_alone(product(ground, box))


def test_a_scene_an_empty_page_and_a_speck_do_not() -> None:
    assert not stands_alone(scene())
    assert not stands_alone(Image.new("RGB", (200, 200), "white"))
    assert not stands_alone(product(box=(100, 100, 108, 108)))


def test_shares_are_those_of_a_loop_where_every_photo_is_looked_at() -> None:
    rng = np.random.default_rng(3)
    answers = rng.random(39) < 0.6
    categories = {"a": np.arange(16), "b": np.arange(16, 28), "few": np.arange(28, 39)}
    found = alone_shares(np.arange(39), categories, lambda row: bool(answers[row]))
    assert found.overall == pytest.approx(answers.mean(), abs=1e-4)
    assert found.categories == {
        "a": pytest.approx(answers[:16].mean(), abs=1e-4),
        "b": pytest.approx(answers[16:28].mean(), abs=1e-4),
    }
    assert len(categories["few"]) < MIN_PHOTOS


def test_a_large_gallery_is_sampled_evenly_and_what_is_known_is_not_looked_at() -> None:
    looked: list[int] = []

    def is_alone(row: int) -> bool:
        looked.append(row)
        return row < 50_000

    categories = {"known": range(50_000), "new": range(50_000, 100_000)}
    found = alone_shares(range(100_000), categories, is_alone, {"known": 0.9, "gone": 1.0})
    assert found.overall == pytest.approx(0.5, abs=0.01)
    assert found.categories == {"known": 0.9, "new": 0.0}
    assert len(looked) == 128 + 16


def test_a_search_is_among_things_alone_where_all_of_its_categories_are() -> None:
    mixed = AloneShares(overall=0.4, categories={"shoe": 0.95, "chair": LEAST_SHARE, "harbour": 0.1, "": 1.0})
    assert [mixed.holds(names) for names in ((), ("shoe",), ("chair", "shoe"), ("shoe", "harbour"), ("few",))] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert mixed.exceptions == ["chair", "shoe"]
    shop = mixed.model_copy(update={"overall": 0.97})
    assert [shop.holds(names) for names in ((), ("few",), ("harbour",))] == [True, True, False]
    assert shop.exceptions == ["harbour"]
