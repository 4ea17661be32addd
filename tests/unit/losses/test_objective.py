"""Losses by name: every one of the table computes what its function does, on what it says it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import BaseModel, ValidationError
from torch import Tensor
from torch.nn import functional as F

from models.losses.contrastive.info_nce import info_nce
from models.losses.contrastive.queue_contrast import queue_contrast
from models.losses.contrastive.triplet import triplet
from models.losses.distillation.embedding_match import embedding_match
from models.losses.distillation.relational_angle import relational_angle
from models.losses.distillation.relational_distance import relational_distance
from models.losses.inputs import KeptPairs, LossInputs, Match, Need, Targets, Unpaired
from models.losses.key_queue import KeyQueue
from models.losses.objective import LossTerms, Objective, loss_terms
from models.losses.table import LOSSES

B, E, D = 6, 8, 5
DOCS = Path(__file__).parents[3] / "docs"


def unit(seed: int, count: int = B, dim: int = E) -> Tensor:
    return F.normalize(torch.randn(count, dim, generator=torch.Generator().manual_seed(seed)), dim=1)


@pytest.fixture
def inputs() -> LossInputs:
    targets = Targets(*(unit(seed, dim=D) for seed in range(4)))
    matches = (Match("r_s", unit(4, dim=D), targets.sketch_first), Match("r_p", unit(5, dim=D), targets.photo_first))
    return LossInputs(
        sketches=unit(10),
        photos=unit(11),
        identities=torch.arange(B),
        categories=torch.tensor([0, 0, 0, 1, 1, 1]),
        second_sketches=unit(12),
        kind_labels=torch.tensor([0, 1, 2, 0, 1, -1]),
        matches=matches,
        queues={name: KeyQueue.start(7, D, seed) for seed, name in enumerate(("r_s", "r_p"))},
        targets=targets,
        prototypes=unit(13, count=3),
        unpaired=Unpaired(unit(14), torch.arange(B), unit(15), torch.arange(B)),
        kept_pairs=KeptPairs(torch.arange(B), targets.sketch_first, targets.photo_first),
        kept_photos=unit(16, dim=D),
        parts={"layout": slice(0, 6)},
    )


class Config(BaseModel):
    losses: LossTerms


def test_a_term_is_its_loss_and_the_total_their_weighted_sum(inputs: LossInputs) -> None:
    terms = Objective.of(loss_terms(info_nce={"weight": 0.5, "temperature": 0.2}, triplet=3, queue_contrast=0.25))(
        inputs
    )
    who = inputs.identities
    contrast = info_nce(inputs.sketches, inputs.photos, who, temperature=0.2).total
    hinge = triplet(inputs.sketches, inputs.photos, who, margin=0.2).total
    queued = sum(
        float(queue_contrast(m.queries, m.keys, who, inputs.queues[m.modality], temperature=0.07).total)
        for m in inputs.matches
    )
    assert float(terms["info_nce"]) == pytest.approx(float(contrast), rel=1e-6)
    assert float(terms["queue_contrast"]) == pytest.approx(queued, rel=1e-6)
    assert float(terms["total"]) == pytest.approx(0.5 * float(contrast) + 3 * float(hinge) + 0.25 * queued, rel=1e-6)
    assert {"info_nce/sketch_to_photo", "triplet/active", "queue_contrast/accuracy"} < set(terms)


def test_distilling_terms_add_up_both_modalities(inputs: LossInputs) -> None:
    assert inputs.targets is not None
    assert inputs.second_sketches is not None
    terms = Objective.of(loss_terms(embedding_match=1, relational_distance=1, relational_angle=1))(inputs)
    matched = [float(embedding_match(match.queries, match.keys).total) for match in inputs.matches]
    assert float(terms["embedding_match"]) == pytest.approx(sum(matched), rel=1e-6)
    distances = [
        float(relational_distance(inputs.sketches, inputs.targets.sketch_first).total),
        float(relational_distance(inputs.photos, inputs.targets.photo_first).total),
    ]
    assert float(terms["relational_distance"]) == pytest.approx(sum(distances), rel=1e-6)
    assert float(terms["relational_distance/sketches"]) == pytest.approx(distances[0], rel=1e-6)
    fused = torch.cat([inputs.targets.photo_first, inputs.targets.photo_second])
    angles = [
        float(relational_angle(torch.cat([inputs.sketches, inputs.second_sketches]), fused).total),
        float(relational_angle(torch.cat([inputs.photos, inputs.photos]), fused).total),
    ]
    assert float(terms["relational_angle"]) == pytest.approx(sum(angles), rel=1e-6)


def test_a_part_is_cut_out_and_has_length_1_again(inputs: LossInputs) -> None:
    objective = Objective.of(loss_terms(on_layout={"loss": "triplet", "part": "layout", "weight": 1.0}, triplet=1))
    terms = objective(inputs)
    sketches, photos = (F.normalize(rows[:, :6], dim=1) for rows in (inputs.sketches, inputs.photos))
    expected = triplet(sketches, photos, inputs.identities, margin=0.2).total
    assert float(terms["on_layout"]) == pytest.approx(float(expected), rel=1e-6)
    assert float(terms["on_layout"]) != pytest.approx(float(terms["triplet"]), rel=1e-3)
    cut = inputs.part("layout")
    assert cut.prototypes is not None
    assert cut.unpaired is not None
    for rows in (cut.second_sketches, cut.prototypes, cut.unpaired.sketches, cut.unpaired.photos):
        assert rows is not None
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(len(rows)))
    with pytest.raises(KeyError):
        inputs.part("kind")


def test_a_weight_of_0_needs_nothing(inputs: LossInputs) -> None:
    objective = Objective.of(loss_terms(info_nce=1, relational_angle=0))
    assert objective.needs == frozenset()
    assert set(objective(inputs)) == {"info_nce", "info_nce/sketch_to_photo", "info_nce/photo_to_sketch", "total"}
    both = Objective.of(loss_terms(info_nce=1, relational_angle=2, queue_contrast=1))
    assert both.needs == {Need.TARGETS, Need.SECOND_SKETCHES, Need.MATCHES, Need.QUEUES}
    assert both.needing(frozenset({Need.TARGETS})) == ("relational_angle",)


def test_what_is_written_reads_the_same_again() -> None:
    given = {"info_nce": {"weight": 0.5, "label_smoothing": 0.1}, "grid": {"loss": "triplet", "weight": 1, "part": "g"}}
    config = Config.model_validate({"losses": given})
    assert config.losses["info_nce"].options == {"temperature": 0.07, "label_smoothing": 0.1}  # defaults written out
    assert Config.model_validate(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("losses", "reason"),
    [
        ({"barlow": 1.0}, "no loss 'barlow'; there are .*info_nce"),
        ({"info_nce": -1.0}, "greater than or equal to 0"),
        ({"info_nce": {"weight": 1, "temperature": 0}}, "temperature"),
        ({"info_nce": {"weight": 1, "margin": 0.2}}, "margin"),
        ({"info_nce": {"temperature": 0.1}}, "weight"),
        ({}, "at least 1"),
        (3, "valid dictionary"),
    ],
)
def test_wrong_terms_are_rejected(losses: object, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Config.model_validate({"losses": losses})


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_each_loss_reads_what_it_says_and_reaches_the_students(name: str, inputs: LossInputs) -> None:
    """Without what it does not need it still computes; without its needs it cannot."""
    loss = LOSSES[name]
    queries = tuple(Match(m.modality, m.queries.requires_grad_(), m.keys) for m in inputs.matches)
    offered = {need.value: getattr(inputs, need.value) for need in loss.needs} | (
        {"matches": queries} if Need.MATCHES in loss.needs else {}
    )
    sketches, photos = inputs.sketches.requires_grad_(), inputs.photos.requires_grad_()
    bare = LossInputs(sketches, photos, inputs.identities, inputs.categories, **offered)
    terms = loss.compute(bare, loss.options())
    assert all(value.shape == () for value in vars(terms).values())
    named = terms.named(name)
    assert [key for key, value in named.items() if value.requires_grad] == [name]
    learning = [sketches, photos, *(match.queries for match in queries)]
    gradients = torch.autograd.grad(terms.total, learning, allow_unused=True)
    assert any(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)
    if loss.needs:
        lacking = LossInputs(inputs.sketches, inputs.photos, inputs.identities, inputs.categories)
        with pytest.raises((AssertionError, KeyError, RuntimeError)):
            loss.compute(lacking, loss.options())


def test_every_loss_is_documented() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md")))
    assert not [name for name in LOSSES if f"`{name}`" not in text]
