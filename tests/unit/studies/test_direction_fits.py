"""What the study of directions fits: weights from photos that recover a rule, and steps that lower their loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from models.adapters import Adaptation
from models.studies.adaptation_directions.fits.conditioning import Conditioning, Known
from models.studies.adaptation_directions.fits.deeper import Shown, TrunkRule, tuned_trunk

Floats = npt.NDArray[np.float32]
C, CELLS, TRUNK = 4, 25, 6
E = C * CELLS


def unit(rows: npt.NDArray[np.float64]) -> Floats:
    scaled: Floats = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    return scaled


def known(random: np.random.Generator, steady: int) -> Known:
    """A category whose sketches agree with photos in one channel alone, which its photos differ most in."""
    photos = random.normal(size=(10, C, CELLS)) * 0.3
    photos[:, steady] *= 4
    sketches = (
        photos[:6] + random.normal(size=(6, C, CELLS)) * np.where(np.arange(C) == steady, 0.1, 2.0)[None, :, None]
    )
    flat = [unit(each.reshape(len(each), -1)) for each in (sketches, photos)]
    return Known(flat[0], np.arange(6), flat[1], np.zeros(3, np.float32))


def test_weights_are_predicted_from_what_photos_differ_in() -> None:
    random = np.random.default_rng(0)
    learned = Conditioning.of([known(random, number % C) for number in range(24)], decay=1e-3)
    gains = np.stack(
        [learned.gains(known(random, steady).photos, np.zeros(3, np.float32)) for steady in range(C)]
    ).reshape(C, C, CELLS)
    # A channel weighs most in the category where it is the steady one.
    np.testing.assert_array_equal(gains.mean(axis=2).argmax(axis=0), np.arange(C))
    same = Conditioning.of([known(random, number % C) for number in range(8)], decay=1e-3, conditioned=False)
    pair = [same.gains(known(random, steady).photos, np.zeros(3, np.float32)) for steady in (0, 1)]
    np.testing.assert_array_equal(pair[0], pair[1])


def test_the_first_step_from_the_trunk_is_autograds() -> None:
    random = np.random.default_rng(1)
    photos = unit(random.normal(size=E) + random.normal(size=(5, E)))
    category = Adaptation.untrained(E, "bayes", power=0.2).prepare(photos)

    def shown(own: list[int]) -> Shown:
        rows = unit(photos[own] + random.normal(size=(len(own), E)) / 20)
        return Shown(rows, random.normal(size=(len(own), TRUNK * CELLS)).astype(np.float32), np.array(own))

    pairs, drawings, rule = shown([1, 1, 3]), shown([0, 1, 2, 3, 4]), TrunkRule(steps=1, rate=1.0, strength=0.0)
    tuned = tuned_trunk(category, pairs, drawings, rule)
    scale = float(np.sqrt(np.square(drawings.cells).mean()))
    change = torch.zeros(TRUNK, C, requires_grad=True)
    turn = torch.from_numpy(category.frame.turn(np.eye(E, dtype=np.float32)))
    total = torch.zeros(())
    for told, share, allowed in ((pairs, 0.3, [1, 3]), (drawings, 1.0, [0, 1, 2, 3, 4])):
        grid = torch.from_numpy(told.cells).reshape(-1, TRUNK, CELLS).transpose(1, 2) / scale
        layout, own = torch.from_numpy(told.layout), torch.from_numpy(told.own)
        per_photo_rows = [own == photo for photo in np.unique(told.own).tolist()]
        of_grid, of_layout = (
            torch.stack([rows[mine].mean(dim=0) for mine in per_photo_rows]).mean(dim=0) for rows in (grid, layout)
        )
        moved = ((grid - of_grid) @ change).transpose(1, 2).flatten(1) + layout - of_layout
        logits = F.normalize(moved @ turn, dim=1) @ torch.from_numpy(category.features).T / rule.temperature
        own_place = torch.tensor([allowed.index(int(photo)) for photo in own])
        each = F.cross_entropy(logits[:, allowed], own_place, reduction="none")
        per_photo = torch.tensor([1 / int((own == photo).sum()) / len(allowed) for photo in own])
        total = total + share * (each * per_photo).sum()
    (slope,) = torch.autograd.grad(total, change)
    np.testing.assert_allclose(tuned.change, -slope.numpy(), atol=1e-4)
