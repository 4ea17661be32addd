"""The competitors' inner loops on the product's own meta-model: MAML, sign-MAML, ANIL's fixed margin, fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.adapters.margin import MarginPredictor
from models.data.sampling.episodes import Episode
from models.studies.few_shot_comparison.variant import InnerRule
from models.training.recipes.adaptive.config import AdaptConfig
from models.training.recipes.adaptive.inner_loop import SupportTensors, triplet_loss
from models.training.recipes.adaptive.meta_model import EpisodeAdapter, MetaModel, TaskTensors

Parameters = Mapping[str, Tensor]

_BLOCK_START = 1e-3


class FixedMargin(nn.Module):
    """In the margin network's place: the same for every support."""

    def __init__(self, margin: float) -> None:
        """`margin` in (0, 1)."""
        super().__init__()
        self.value = margin

    def forward(self, head: Tensor, support: SupportTensors) -> Tensor:
        """Scalar."""
        return head.new_tensor(self.value)

    def predictor(self) -> MarginPredictor:
        """The same in numpy."""
        return MarginPredictor.constant(self.value)


@dataclass(frozen=True)
class BaselineHead(EpisodeAdapter):
    """`parameters`: "head" (E, E') and, with a block, "down" (E, R) and "up" (R, E), after the inner loop."""

    parameters: Parameters

    def embed(self, features: Tensor) -> Tensor:
        """F (N, E) -> (N, E'), rows of length 1."""
        return F.normalize(through_block(self.parameters, features) @ self.parameters["head"], dim=1, eps=1e-9)

    def scores(self, sketches: Tensor) -> Tensor:
        """(Q, E) -> (Q, G) cosines."""
        queries = self.embed(self.model.features(self.task, sketches - self.centre))
        return queries @ self.embed(self.model.features(self.task, self.task.photos - self.task.mean)).T


class BaselineModel(MetaModel):
    """`MetaModel` with another rule for the inner loop. Its support's negatives are all of the task's other photos."""

    def __init__(self, config: AdaptConfig, embedding_dim: int, rule: InnerRule) -> None:
        """See `InnerRule`."""
        super().__init__(config, embedding_dim)
        self.rule = rule
        if rule.margin is not None:
            self.margin = FixedMargin(rule.margin)  # type: ignore[assignment]
        if rule.block:
            self.block_down = nn.Parameter(torch.randn(embedding_dim, rule.block) * embedding_dim**-0.5)
            self.block_up = nn.Parameter(torch.randn(rule.block, embedding_dim) * _BLOCK_START)

    @property
    def rotation_invariant(self) -> bool:
        """Neither a block nor a step of signs is."""
        return super().rotation_invariant and not self.rule.block and not self.rule.sign

    def fit(
        self, task: TaskTensors, episode: Episode, steps: int | None = None, rate: float | None = None
    ) -> BaselineHead:
        """The head after the inner loop; `steps` and `rate` in place of the rule's and the learned one."""
        sketches, owners = task.rows(episode.support), torch.from_numpy(episode.support_targets)
        centre = self._centre(task, sketches, owners)
        drawn = self.features(task, sketches - centre)
        seen = self.features(task, task.photos - task.mean)
        support = SupportTensors(drawn, seen, owners)
        parameters: Parameters = {"head": torch.eye(drawn.shape[1]) if self.head is None else self.head}
        if self.rule.block:
            parameters = {**parameters, "down": self.block_down, "up": self.block_up}
        margin = self.margin(parameters["head"], support)
        taken = self.rule.steps if steps is None else steps
        size = self.value("rate") if rate is None else torch.tensor(rate)
        if self.rule.moves != "nothing" or steps is not None:
            moved = tuple(parameters) if self.rule.moves == "all" else ("head",)
            for _ in range(taken):
                parameters = self._stepped(parameters, moved, support, margin, size)
        return BaselineHead(self, task, centre, parameters["head"], margin, parameters)

    def _stepped(
        self, parameters: Parameters, moved: tuple[str, ...], support: SupportTensors, margin: Tensor, rate: Tensor
    ) -> Parameters:
        def loss(chosen: dict[str, Tensor]) -> Tensor:
            every = {**parameters, **chosen}
            sketches, photos = (through_block(every, rows) for rows in (support.sketches, support.photos))
            through = SupportTensors(sketches, photos, support.positives)
            return triplet_loss(every["head"], through, margin, self.config.softness)

        slopes = torch.func.grad(loss)({name: parameters[name] for name in moved})
        # The sign has no slope of its own, so sign-MAML is first order whatever is configured.
        if self.rule.sign or self.config.first_order:
            slopes = {name: slope.detach() for name, slope in slopes.items()}
        if self.rule.sign:
            slopes = {name: slope.sign() for name, slope in slopes.items()}
        return {**parameters, **{name: parameters[name] - rate * slopes[name] for name in moved}}


def through_block(parameters: Parameters, features: Tensor) -> Tensor:
    """(N, E) -> (N, E): the residual block where there is one."""
    if "up" not in parameters:
        return features
    return features + F.relu(features @ parameters["down"]) @ parameters["up"]
