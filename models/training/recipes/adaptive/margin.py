"""The margin network in training; `models.adapters.margin` is the same in numpy, and says what it looks at."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.adapters.margin import PAIR_FEATURES, MarginPredictor
from models.training.recipes.adaptive.inner_loop import SupportTensors, pair_distances


class MarginNet(nn.Module):
    """A set encoder over the support pairs: the margin in (0, 1) that the inner step shall use."""

    def __init__(self, start: float, hidden: int = 8) -> None:
        """Answers about `start` before it is trained."""
        super().__init__()
        self.inner = nn.Linear(PAIR_FEATURES, hidden)
        self.outer = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, 1)
        # Then sigmoid(0 · hidden + logit(start)) is `start`, whatever the support looks like.
        nn.init.zeros_(self.last.weight)
        nn.init.constant_(self.last.bias, float(torch.logit(torch.tensor(start))))

    def forward(self, head: Tensor, support: SupportTensors) -> Tensor:
        """(E, E') head before the step, support -> scalar."""
        # A mean over pairs takes any number of them, in any order.
        hidden = torch.tanh(self.inner(pair_features(head, support))).mean(dim=0)
        margin: Tensor = torch.sigmoid(self.last(torch.tanh(self.outer(hidden))))[0]
        return margin

    def predictor(self) -> MarginPredictor:
        """The same in numpy."""
        return MarginPredictor(
            inner_weight=self.inner.weight.detach().numpy().T.copy(),
            inner_bias=self.inner.bias.detach().numpy().copy(),
            outer_weight=self.outer.weight.detach().numpy().T.copy(),
            outer_bias=self.outer.bias.detach().numpy().copy(),
            last_weight=self.last.weight.detach().numpy()[0].copy(),
            last_bias=self.last.bias.detach().numpy().copy(),
        )


def pair_features(head: Tensor, support: SupportTensors) -> Tensor:
    """(S, 3): see `models.adapters.margin.pair_features`."""
    distances = pair_distances(support.sketches @ head, support.photos @ head)
    own = distances.gather(1, support.positives[:, None])[:, 0]
    negatives = support.negatives()
    # 2 is the largest distance of unit vectors: a support without negatives has them as far away as can be.
    nearest = torch.where(negatives, distances, 2.0).amin(dim=1)
    count = negatives.sum(dim=1)
    mean = torch.where(count > 0, (distances * negatives).sum(dim=1) / count.clamp_min(1), 2.0)
    return torch.stack([own, nearest, mean], dim=1)
