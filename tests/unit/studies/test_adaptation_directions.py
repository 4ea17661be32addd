"""The study of directions: its metrics from their definitions, its choice by halves, and the whole on a tiny bundle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from models.adapters import CategoryAdapter, GainPrior
from models.bundle import ANYWHERE, Preprocess, Purpose
from models.data.kinds.word_vectors import WORD_DIM
from models.data.sampling.episodes import Task, episode
from models.evaluation.few_shot.protocol import Material, Trial, Unit, run
from models.ranking import ranks_of
from models.studies.adaptation_directions.fits.conditioning import Known
from models.studies.adaptation_directions.fits.drawn_metric import cell_gains, within_metric
from models.studies.adaptation_directions.fits.reprojection import Reprojection
from models.studies.adaptation_directions.further_ways import conditioned_families, deeper_families
from models.studies.adaptation_directions.gate_episodes import GateEpisode, confusion, gate_episodes
from models.studies.adaptation_directions.photo_views import CloserEncoder, DrawnEncoder
from models.studies.adaptation_directions.selection import cross_fitted
from models.studies.adaptation_directions.served import closed_form, gain_prior
from models.studies.adaptation_directions.study import left_out_in_turn
from models.studies.adaptation_directions.views import Columns
from models.studies.adaptation_directions.ways import Way, families, usual_cell_gains

Floats = npt.NDArray[np.float32]
CHANNELS, CELLS = 2, 25
E = CHANNELS * CELLS


def unit(rows: npt.NDArray[Any]) -> Floats:
    scaled: Floats = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    return scaled


def made_up(tasks: int = 4) -> tuple[Material, Columns]:
    """Rows of every view: 8 photos a task, 4 of them drawn twice."""
    random, columns = np.random.default_rng(3), Columns(layout=E, kind=3, cells=3 * CELLS, drawings=2, lines=2)
    photos = 8 * tasks
    layout = unit(np.repeat(random.normal(size=(tasks, E)), 8, axis=0) + random.normal(size=(photos, E)))
    shown = np.array([8 * task + photo for task in range(tasks) for photo in range(4) for _ in range(2)])
    drawings = [unit(layout + 0.5 * random.normal(size=layout.shape)) for _ in range(2)]

    def rows(own: Floats, further: list[Floats]) -> Floats:
        count = len(own)
        pieces: list[npt.NDArray[Any]] = [
            own,
            unit(random.normal(size=(count, 3))),
            random.normal(size=(count, 3 * CELLS)),
            *further,
        ]
        whole: Floats = np.concatenate(pieces, axis=1).astype(np.float32)
        return whole

    sketches = unit(layout[shown] + 0.6 * random.normal(size=(len(shown), E)) + 0.2)
    material = Material(
        "made up",
        Unit.CATEGORY,
        rows(sketches, [np.zeros((len(shown), 5 * E + 6 * CELLS), np.float32)]),
        rows(layout, [*drawings, layout, *drawings, random.normal(size=(photos, 6 * CELLS)).astype(np.float32)]),
        tuple(
            Task(
                name=f"task {number}",
                sketches=np.arange(8) + 8 * number,
                targets=np.repeat(np.arange(4), 2),
                gallery=np.arange(8) + 8 * number,
                categories=np.zeros(8, np.int64),
            )
            for number in range(tasks)
        ),
    )
    return material, columns


def test_the_metric_of_drawings_is_the_shrunken_power_of_their_covariance() -> None:
    random = np.random.default_rng(0)
    photos, drawn = random.normal(size=(9, 6)), random.normal(size=(9, 4, 6)) * np.array([1, 2, 3, 1, 1, 5])
    turn = within_metric(drawn.astype(np.float32), photos.astype(np.float32), shrinkage=0.7, power=0.5)
    residual = (drawn - photos[:, None]).reshape(-1, 6)
    covariance = np.cov(residual.T, bias=True)
    values, axes = np.linalg.eigh(covariance)
    expected = (axes * (1 + values / (0.7 * values.mean())) ** -0.5) @ axes.T
    np.testing.assert_allclose(turn(np.eye(6, dtype=np.float32)), expected, atol=1e-4)


def test_a_cell_whose_drawings_differ_most_counts_least() -> None:
    random = np.random.default_rng(1)
    photos = random.normal(size=(12, E)).astype(np.float32)
    noise = random.normal(size=(12, 5, CHANNELS, CELLS)) * 0.1
    noise[..., 7] *= 10
    drawn = (photos.reshape(12, 1, CHANNELS, CELLS) + noise).reshape(12, 5, E).astype(np.float32)
    gains = cell_gains(drawn, photos, 1.0).reshape(CHANNELS, CELLS)
    assert gains[0].argmin() == 7
    np.testing.assert_allclose(gains[0], gains[1])
    np.testing.assert_allclose(gains[0].mean(), 1.0, rtol=1e-5)


def test_a_reprojection_recovers_a_linear_residual_of_the_cells() -> None:
    random = np.random.default_rng(2)
    cells = random.normal(size=(40, 3, CELLS)).astype(np.float32)
    true = 0.1 * random.normal(size=(3, CHANNELS))
    residual = np.einsum("nkc,kd->ndc", cells - cells.mean(axis=(0, 2), keepdims=True), true).reshape(40, E)
    sketches = random.normal(size=(40, E)).astype(np.float32)
    photos = (sketches + residual).astype(np.float32)
    fit = Reprojection.of(cells.reshape(40, -1), sketches, photos, photos, strength=1e-6)
    moved = fit.apply(sketches, cells.reshape(40, -1))
    np.testing.assert_allclose(moved, unit(photos), atol=2e-2)


def test_each_half_is_measured_by_the_member_that_the_other_half_chose() -> None:
    tasks = np.array([0, 0, 1, 1])
    good_at_odd, good_at_even = np.array([5, 5, 1, 1]), np.array([1, 1, 5, 5])

    def both(ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.stack([ranks, ranks], axis=1)

    ranks = {("a", 1): both(good_at_odd), ("b", 1): both(good_at_even)}
    trial = Trial("made up", Unit.CATEGORY, ("x", "y"), np.arange(4), tasks, np.zeros(4, np.int64), ranks)

    def never(sketches: Floats, positives: npt.NDArray[np.int64], photos: Floats) -> Any:
        raise AssertionError

    fitted, chosen = cross_fitted(trial, {"family": (Way("a", never), Way("b", never))})
    assert chosen == {"family": ("a", "b")}
    # Even tasks by "a", which is good at odd ones, and the reverse: the choice never sees what it is measured on.
    np.testing.assert_array_equal(fitted.ranks["family", 1][:, 0], [5, 5, 5, 5])


def test_every_way_runs_over_episodes_and_over_all_pairs() -> None:
    material, columns = made_up()
    usual = usual_cell_gains(material, columns)
    bare = closed_form(usual)
    other, other_columns = made_up(3)
    told = [
        (
            task.name,
            Known(
                other_columns.layout_of(other.sketches[task.sketches]),
                task.targets,
                other_columns.layout_of(other.photos[task.gallery]),
                np.zeros(WORD_DIM, np.float32),
            ),
        )
        for task in other.tasks
    ]
    compared = families(columns, None, usual)
    compared |= deeper_families(columns, bare) | conditioned_families(material, columns, bare, told)
    ways = [way for family in compared.values() for way in family]
    assert len({way.name for way in ways}) == len(ways)
    trial = run(material, ways, (1, 3), draws=2)
    fitted, _ = cross_fitted(trial, compared)
    assert {name for name, _ in fitted.ranks} == set(compared)
    bound = left_out_in_turn(material, ways)
    assert len(bound.tasks) == sum(len(task.sketches) for task in material.tasks)
    # Plain cosines need no examples, so the bound's ranks are those of every sketch in its own gallery.
    own = [
        ranks_of(
            columns.layout_of(material.sketches[t.sketches]) @ columns.layout_of(material.photos[t.gallery]).T,
            t.targets,
        )
        for t in material.tasks
    ]
    np.testing.assert_array_equal(bound.ranks["plain cosines", 100][:, 0], np.concatenate(own))


def test_the_gate_is_measured_on_what_it_never_saw() -> None:
    material, columns = made_up()
    adaptation = closed_form(usual_cell_gains(material, columns))
    found = gate_episodes(material, columns.layout_of, adaptation, (2,), draws=3)
    layout, photos = columns.layout_of(material.sketches), columns.layout_of(material.photos)
    one = episode(material.tasks[1], 2, 2)
    gallery = photos[material.tasks[1].gallery]
    fitted = adaptation.fit_category(layout[one.support], one.support_targets, gallery)
    ranks = [
        ranks_of(each.embed_sketches(layout[one.holdout]) @ each.embed_photos(gallery).T, one.holdout_targets)
        for each in (CategoryAdapter.centred(gallery), fitted.adapter)
    ]
    episode_of_it = found[3 + 2]
    assert (episode_of_it.task, episode_of_it.k, episode_of_it.photos) == (1, 2, 2)
    assert episode_of_it.gain == pytest.approx(float((1 / ranks[1] - 1 / ranks[0]).mean()))
    assert episode_of_it.activated is fitted.passes_gate
    again = gate_episodes(material, columns.layout_of, adaptation, (2,), draws=3, live_k=2)
    # The very same examples once more change nothing on the holdout.
    assert {(each.gain, each.first_gain) for each in again} == {(0.0, 0.0)}


def test_the_confusion_counts_decisions_by_their_outcome() -> None:
    def one(first_gain: float, activated: bool, gain: float = 0.1) -> GateEpisode:
        return GateEpisode(0, 5, 3, gain, first_gain, activated, None)

    shares = confusion([one(0.2, True), one(0.0, True), one(-0.1, True, -0.3), one(0.3, False)])
    assert (shares["activated_better"], shares["activated_same"], shares["activated_worse"]) == (0.25, 0.25, 0.25)
    assert (shares["not_activated_better"], shares["right"]) == (0.25, 0.5)
    assert shares["mean_gain"] == pytest.approx(0.0)
    assert shares["mean_gain_gated"] == pytest.approx(-0.025)


def test_the_prior_recovers_the_gains_that_episodes_were_drawn_from() -> None:
    random, usual = np.random.default_rng(4), GainPrior()
    means = 0.06 + 0.04 * random.normal(size=300)
    episodes = [
        GateEpisode(
            task, 5, photos, float(mean * photos / (photos + usual.photos) + 0.05 * random.normal()), 0.0, True, None
        )
        for task, mean in enumerate(means)
        for photos in (1, 3, 3, 3, 5, 5)
    ]
    found = gain_prior(episodes)
    assert found.known_spread == 0.0  # no episode had two photos to tell a spread by
    spread = [replace(each, spread=0.4 + 0.001 * number) for number, each in enumerate(episodes[:201])]
    assert gain_prior(spread).usual_spread == pytest.approx(0.5)
    assert found.mean == pytest.approx(0.06, abs=0.01)
    assert found.deviation == pytest.approx(0.04, abs=0.01)


class _Pixels:
    """An encoder whose embedding is the picture, 8 x 8."""

    preprocess = Preprocess(size_px=8, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    embedding_dim = 64

    def view(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Image.Image:
        return image.convert("L").resize((8, 8))

    def prepare(self, image: Image.Image, purpose: Purpose = ANYWHERE) -> Floats:
        grey: Floats = np.asarray(self.view(image, purpose), np.float32) / np.float32(255)
        return grey

    def encode(self, batch: Floats) -> Floats:
        return unit(batch.reshape(len(batch), -1) + 1e-3)


@pytest.fixture
def picture() -> Image.Image:
    image = Image.new("RGB", (120, 120), "white")
    ImageDraw.Draw(image).rectangle((30, 30, 90, 90), fill="black")
    return image


def test_a_closer_view_shows_more_of_the_middle(picture: Image.Image) -> None:
    pixels = _Pixels()
    assert CloserEncoder(pixels).prepare(picture).mean() < pixels.prepare(picture).mean()


def test_drawings_of_a_photo_are_lines_that_differ_from_seed_to_seed(picture: Image.Image) -> None:
    first, again, other = (DrawnEncoder(_Pixels(), _Pixels(), seed).prepare(picture) for seed in (0, 0, 1))
    assert first.mean() > 0.5  # paper, most of it
    assert first.min() < 0.9  # and ink
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
