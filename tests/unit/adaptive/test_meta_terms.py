"""Inner step, margin and regularisers against their definitions, and numpy against torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from models.adapters.inner_step import Support, inner_step, triplet_weights
from models.data.kinds.word_vectors import name_vectors
from models.training.recipes.adaptive.inner_loop import SupportTensors, adapt, triplet_loss
from models.training.recipes.adaptive.margin import MarginNet
from models.training.recipes.adaptive.regularisers import category_loss, domain_loss, feature_triplet, semantic_loss

S, N, E, OUT = 4, 6, 10, 7
POSITIVES = [0, 2, 2, 5]


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def support() -> SupportTensors:
    photos = drawn(N, E, seed=1)
    return SupportTensors(photos[POSITIVES] + drawn(S, E, seed=2), photos, torch.tensor(POSITIVES))


@pytest.fixture
def in_numpy(support: SupportTensors) -> Support:
    return Support(support.sketches.numpy(), support.photos.numpy(), support.positives.numpy())


def naive_triplet(sketches: torch.Tensor, photos: torch.Tensor, margin: float, softness: float = 0.0) -> float:
    def unit(row: torch.Tensor) -> list[float]:
        length = math.sqrt(sum(float(x) ** 2 for x in row))
        return [float(x) / length for x in row]

    terms = []
    for row, own in enumerate(POSITIVES):
        for other in range(N):
            if other != own:
                near = math.dist(unit(sketches[row]), unit(photos[own]))
                far = math.dist(unit(sketches[row]), unit(photos[other]))
                inside = margin + near - far
                terms.append(softness * math.log1p(math.exp(inside / softness)) if softness else max(0.0, inside))
    return sum(terms) / len(terms)


@pytest.mark.parametrize(("margin", "softness"), [(0.0, 0.0), (0.3, 0.1), (1.0, 0.0)])
def test_triplet_is_its_definition(support: SupportTensors, margin: float, softness: float) -> None:
    head = drawn(E, OUT)
    expected = naive_triplet(support.sketches @ head, support.photos @ head, margin, softness)
    assert float(triplet_loss(head, support, margin, softness)) == pytest.approx(expected, abs=1e-5)
    on_features = feature_triplet(support.sketches, support.photos, support.positives, margin=margin)
    assert float(on_features) == pytest.approx(naive_triplet(support.sketches, support.photos, margin), abs=1e-5)


@pytest.mark.parametrize(("margin", "softness"), [(0.4, 0.0), (0.9, 0.0), (0.4, 0.05)])
@pytest.mark.parametrize("start", ["identity", "projection"])
def test_the_gradient_in_numpy_is_torchs(
    support: SupportTensors, in_numpy: Support, margin: float, softness: float, start: str
) -> None:
    head = torch.eye(E) if start == "identity" else drawn(E, OUT)
    expected = torch.func.grad(triplet_loss)(head, support, margin, softness)
    rows, moved = in_numpy.rows(), in_numpy.rows() @ head.numpy()
    found = rows.T @ triplet_weights(moved, in_numpy, margin=margin, softness=softness) @ moved
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert expected.abs().max() > 1e-3
    given = None if start == "identity" else head.numpy()
    step = inner_step(given, in_numpy, margin=margin, rate=0.2, softness=softness)
    stepped = adapt(head, support, margin=margin, rate=0.2, softness=softness)
    np.testing.assert_allclose(step.head(head.numpy()), stepped, atol=1e-5)
    np.testing.assert_allclose(step.apply(rows, moved), rows @ stepped.numpy(), atol=1e-5)


def test_a_step_lowers_its_loss_and_without_negatives_there_is_none(support: SupportTensors) -> None:
    head = torch.eye(E)
    losses = [float(triplet_loss(adapt(head, support, margin=0.5, rate=0.5, steps=n), support, 0.5)) for n in range(4)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * losses[0]
    alone = SupportTensors(support.sketches[:1], support.photos[:1], support.positives[:1])
    torch.testing.assert_close(adapt(head, alone, margin=0.5, rate=0.5), head)


def test_the_second_order_is_in_the_outer_gradient(support: SupportTensors) -> None:
    margin, rate, bump = 0.9, 20.0, 1e-6
    direction = drawn(E, OUT, seed=4).double()

    def outer(head: torch.Tensor, first_order: bool) -> torch.Tensor:
        stepped = adapt(head, support, margin=margin, rate=rate, first_order=first_order)
        return triplet_loss(stepped, support, 0.7)

    head = drawn(E, OUT).double()
    support = SupportTensors(support.sketches.double(), support.photos.double(), support.positives)
    exact, rough = (float((torch.func.grad(outer)(head, first) * direction).sum()) for first in (False, True))
    with torch.no_grad():
        ahead, behind = (outer(head + sign * bump * direction, first_order=True) for sign in (1, -1))
    assert exact == pytest.approx(float(ahead - behind) / (2 * bump), rel=1e-3)
    assert abs(exact - rough) > 0.02 * abs(exact)


def test_the_margin_in_numpy_is_torchs_and_learns(support: SupportTensors, in_numpy: Support) -> None:
    torch.manual_seed(0)
    net, head = MarginNet(0.3), drawn(E, OUT)
    assert net(head, support).item() == pytest.approx(0.3, abs=1e-5)
    nn.init.normal_(net.last.weight)
    assert net.predictor().predict(head.numpy(), in_numpy) == pytest.approx(net(head, support).item(), abs=1e-5)
    alone = SupportTensors(support.sketches[:1], support.photos[:1], support.positives[:1])
    in_numpy_alone = Support(alone.sketches.numpy(), alone.photos.numpy(), alone.positives.numpy())
    assert net.predictor().predict(head.numpy(), in_numpy_alone) == pytest.approx(net(head, alone).item(), abs=1e-5)
    stepped = adapt(head, support, margin=net(head, support), rate=0.3, softness=0.1)
    (slope,) = torch.autograd.grad(triplet_loss(stepped, support, 0.5), net.last.bias)
    assert slope.abs() > 0


def test_the_regularisers_are_their_definitions() -> None:
    sketches, photos = drawn(3, E, seed=5).requires_grad_(), drawn(4, E, seed=6)
    torch.manual_seed(1)
    discriminator, classifier, decoder = nn.Linear(E, 1), nn.Linear(E, 5), nn.Linear(E, 3)
    rows = [*sketches, *photos]
    found = domain_loss(discriminator, sketches, photos)
    chances = [torch.sigmoid(discriminator(row)).item() for row in rows]
    naive = [-math.log(1 - c if number < 3 else c) for number, c in enumerate(chances)]
    assert found.item() == pytest.approx(sum(naive) / 7, abs=1e-5)
    (turned,) = torch.autograd.grad(found, sketches)
    plain = nn.functional.binary_cross_entropy_with_logits(
        discriminator(torch.cat([sketches, photos]))[:, 0], torch.tensor([0.0] * 3 + [1.0] * 4)
    )
    (ascent,) = torch.autograd.grad(plain, sketches)
    torch.testing.assert_close(turned, -ascent)

    logits = [classifier(row).tolist() for row in rows]
    naive = [math.log(sum(math.exp(x) for x in row)) - row[2] for row in logits]
    assert category_loss(classifier, sketches, photos, 2).item() == pytest.approx(sum(naive) / 7, abs=1e-5)

    word = drawn(3, seed=7)
    cosines = [(decoder(row) @ word / (decoder(row).norm() * word.norm())).item() for row in rows]
    assert semantic_loss(decoder, sketches, photos, word).item() == pytest.approx(
        sum((1 - c) / 2 for c in cosines) / 7, abs=1e-5
    )


def test_word_vectors_know_kinds() -> None:
    vectors, known = name_vectors(["cat", "dog", "wine_bottle", "hot-air_balloon", "qqq"])
    assert known.tolist() == [True, True, True, True, False]
    np.testing.assert_allclose(np.linalg.norm(vectors[:4], axis=1), 1.0, atol=1e-6)
    assert vectors[0] @ vectors[1] > max(vectors[0] @ vectors[2], vectors[1] @ vectors[3])
