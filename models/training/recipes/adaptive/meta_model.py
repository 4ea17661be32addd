"""What is meta-learned, in torch: the category adapter of `models.adapters.fit`, differentiable in all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.adapters.category import category_mean
from models.adapters.frame import directions
from models.adapters.prior import LEARNED, MOST, NONE, CentrePrior
from models.adapters.state import Adaptation, AdaptationSettings
from models.arrays import Rows
from models.data.sampling.episodes import Episode, Task
from models.evaluation.few_shot.material import EmbeddedPart
from models.training.recipes.adaptive.config import AdaptConfig
from models.training.recipes.adaptive.inner_loop import SupportTensors, adapt
from models.training.recipes.adaptive.margin import MarginNet

_POSITIVE = ("shrinkage", "power", "trust", "rate")
_RESIDUAL_START = 1e-3


@dataclass(frozen=True)
class TaskTensors:
    """A category: `photos` (G, E), `sketches` (N, E), `mean` (E,), `axes` (E, r), `variances` (r,).

    `category`: its number. `position`: of a sketch's row in the data set to its row here.
    """

    task: Task
    category: int
    photos: Tensor
    sketches: Tensor
    mean: Tensor
    axes: Tensor
    variances: Tensor
    position: dict[int, int]

    @classmethod
    def of(cls, part: EmbeddedPart, task: Task, category: int, *, reduced: bool) -> TaskTensors:
        """`reduced`: turned into the span of its own rows, where inner products are the same and cost less."""
        photos, sketches = part.photos[task.gallery], part.sketches[task.sketches]
        if reduced:
            basis, _ = np.linalg.qr(np.concatenate([photos, sketches]).astype(np.float64).T)
            photos, sketches = (np.asarray(rows @ basis, np.float32) for rows in (photos, sketches))
        mean = category_mean(photos)
        axes, variances = directions(photos, mean)
        return cls(
            task,
            category,
            photos=torch.from_numpy(photos),
            sketches=torch.from_numpy(sketches),
            mean=torch.from_numpy(mean),
            axes=torch.from_numpy(axes),
            variances=torch.from_numpy(variances),
            position={int(row): number for number, row in enumerate(task.sketches)},
        )

    def rows(self, sketches: Rows) -> Tensor:
        """Rows of the data set (S,) -> (S, E)."""
        return self.sketches[[self.position[int(row)] for row in sketches]]


@dataclass(frozen=True)
class EpisodeAdapter:
    """The adapter of one episode: the sketches' `centre` (E,), and `head`, M (E, E') after the inner loop.

    `head` and the predicted `margin` are None for methods without an inner loop.
    """

    model: MetaModel
    task: TaskTensors
    centre: Tensor
    head: Tensor | None
    margin: Tensor | None

    def scores(self, sketches: Tensor) -> Tensor:
        """(Q, E) -> (Q, G) cosines."""
        queries = self.model.features(self.task, sketches - self.centre)
        photos = self.model.features(self.task, self.task.photos - self.task.mean)
        if self.head is not None:
            queries, photos = queries @ self.head, photos @ self.head
        return F.normalize(queries, dim=1, eps=1e-9) @ F.normalize(photos, dim=1, eps=1e-9).T


class MetaModel(nn.Module):
    """The scalars, the margin network, the start of M and the residual; the configuration says which of them learn."""

    def __init__(self, config: AdaptConfig, embedding_dim: int) -> None:
        """Random numbers are drawn only where M or the residual are learned; `embedding_dim`: E."""
        super().__init__()
        self.config = config
        self.scalars = nn.ParameterDict()
        for name in ("shrinkage", "power", "share", "follow", "trust", "per_photo", "rate"):
            start = torch.tensor(float(getattr(config.start, name)))
            # Positive scalars are learned as logarithms and the share as a logit: no step can leave their range.
            raw = start.log() if name in _POSITIVE else torch.logit(start) if name == "per_photo" else start
            self.scalars[name] = nn.Parameter(raw, requires_grad=name in config.learn)
        self.margin = MarginNet(config.start.margin)
        self.margin.requires_grad_(config.method == "adaptive")
        self.head: nn.Parameter | None = None
        if config.head_dim:
            self.head = nn.Parameter(nn.init.orthogonal_(torch.empty(embedding_dim, config.head_dim)))
        self.down: nn.Parameter | None = None
        if rank := config.features.residual_rank:
            # F starts as almost the frozen embedding; were `up` exactly 0, `down` would have no gradient at first.
            self.down = nn.Parameter(torch.randn(embedding_dim, rank) * embedding_dim**-0.5)
            self.up = nn.Parameter(torch.randn(rank, embedding_dim) * _RESIDUAL_START)

    @property
    def rotation_invariant(self) -> bool:
        """Whether nothing learned depends on the axes of the embedding."""
        return self.head is None and self.down is None

    def value(self, name: str) -> Tensor:
        """A scalar as it is used."""
        raw: Tensor = self.scalars[name]
        return raw.exp() if name in _POSITIVE else torch.sigmoid(raw) if name == "per_photo" else raw

    def features(self, task: TaskTensors, moved: Tensor) -> Tensor:
        """(N, E) differences to a mean -> F (N, E): rows of length 1 in the category's frame, then the residual."""
        floor = self.value("shrinkage") * task.variances.sum() / max(1, len(task.photos) - 1)
        gains = (1 + task.variances / floor) ** -self.value("power") - 1
        framed = F.normalize(moved + ((moved @ task.axes) * gains) @ task.axes.T, dim=1, eps=1e-9)
        return framed if self.down is None else framed + (framed @ self.down) @ self.up

    def fit(self, task: TaskTensors, episode: Episode) -> EpisodeAdapter:
        """The adapter after the inner loop on the episode's support."""
        sketches, owners = task.rows(episode.support), torch.from_numpy(episode.support_targets)
        centre = self._centre(task, sketches, owners)
        if self.config.method != "adaptive":
            return EpisodeAdapter(self, task, centre, None, None)
        with_sketch, positives = torch.unique(owners, return_inverse=True)
        queries = self.features(task, sketches - centre)
        photos = self.features(task, task.photos - task.mean)
        # Which negatives are chosen is a discrete matter that no gradient passes through.
        with torch.no_grad():
            nearness = (F.normalize(queries, dim=1) @ F.normalize(photos, dim=1).T).amax(dim=0)
            # The examples' own photos are in the support anyway.
            nearness[with_sketch] = -torch.inf
            others = nearness.argsort(descending=True)[: min(self.config.negatives, len(photos) - len(with_sketch))]
        support = SupportTensors(queries, photos[torch.cat([with_sketch, others])], positives)
        start = torch.eye(queries.shape[1]) if self.head is None else self.head
        margin = self.margin(start, support)
        stepped = adapt(
            start,
            support,
            margin=margin,
            rate=self.value("rate"),
            softness=self.config.softness,
            first_order=self.config.first_order,
        )
        return EpisodeAdapter(self, task, centre, stepped, margin)

    def _centre(self, task: TaskTensors, sketches: Tensor, owners: Tensor) -> Tensor:
        """See `models.adapters.prior`."""
        per_photo, prior = self.value("per_photo"), self.value("share") * task.mean
        with_sketch = sorted(set(owners.tolist()))
        if not with_sketch:
            return prior
        own = [sketches[owners == photo] for photo in with_sketch]
        followed = self.value("follow") * (task.photos[with_sketch] - task.mean)
        offsets = torch.stack([rows.mean(dim=0) for rows in own]) - followed - prior
        weights = torch.stack([1 / (per_photo + (1 - per_photo) / len(rows)) for rows in own])
        trust = 1 / self._distance_over_error(offsets, weights)
        return prior + weights @ offsets / (trust + weights.sum())

    def _distance_over_error(self, offsets: Tensor, weights: Tensor) -> Tensor:
        others = len(offsets) - 1
        ratio = offsets.new_zeros(())
        if others:
            lengths = offsets.square().sum(dim=1)
            # The mean product of two different photos' offsets. Their errors are independent, so it estimates the
            # squared distance without bias, which the mean of squares would not.
            distance = (offsets.sum(dim=0).square().sum() - lengths.sum()) / (others * (others + 1))
            error = (weights * (lengths - distance)).mean()
            ratio = torch.minimum(distance.clamp(min=0) / error.clamp(min=1e-9), MOST / self.value("trust"))
        return (others * ratio + LEARNED / self.value("trust")) / (others + LEARNED + NONE)

    def adaptation(self, name: str, embedding_dim: int, bundle_id: str = "") -> Adaptation:
        """What serving needs of it."""
        scalar = {name: float(self.value(name).detach()) for name in self.scalars}
        prior = CentrePrior(**{field: scalar.pop(field) for field in ("share", "follow", "trust", "per_photo")})
        config = self.config
        settings = AdaptationSettings(**scalar, centre=prior, softness=config.softness, negatives=config.negatives)
        arrays = self.margin.predictor().arrays() if config.method == "adaptive" else {}
        for key, tensor in (("head", self.head), ("down", self.down), ("up", getattr(self, "up", None))):
            if tensor is not None:
                # numpy() shares the parameter's memory, which further training would overwrite.
                arrays[key] = tensor.detach().numpy().copy()
        return Adaptation(config.method, embedding_dim, settings, arrays, name, bundle_id)
