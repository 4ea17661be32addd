"""One meta-training experiment as a frozen value, read from a TOML file of models/configs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from models.training.engine.config import Experiment, Frozen

Scalar = Literal["shrinkage", "power", "share", "follow", "trust", "per_photo", "rate"]


class StartConfig(Frozen):
    """Where the scalars start, and stay where they are not learned; see `AdaptationSettings` and `CentrePrior`."""

    shrinkage: float = Field(default=1.0, gt=0)
    power: float = Field(default=0.25, gt=0)
    share: float = 1.0
    follow: float = 0.1
    trust: float = Field(default=1.0, gt=0)
    per_photo: float = Field(default=0.5, gt=0, lt=1)
    rate: float = Field(default=0.05, gt=0)
    margin: float = Field(default=0.3, gt=0, lt=1)


class FeatureConfig(Frozen):
    """Weights of the regularisers of F, and F itself: the frozen embedding in the category's frame, plus a residual.

    `residual_rank`: of the low-rank residual x + (x down) up, 0 for none, and then nothing is regularised. `domain`:
    L_D. `category`: L_C. `triplet`: L_ud with `triplet_margin`. `semantic`: L_S. Adaptive FG-SBIR publishes no weights.
    `heads_rate`: of the outer loop for D, C and G, 0 for that of the rest.
    """

    residual_rank: int = Field(default=0, ge=0)
    domain: float = Field(default=0.1, ge=0)
    category: float = Field(default=0.1, ge=0)
    triplet: float = Field(default=0.0, ge=0)
    triplet_margin: float = 0.2
    semantic: float = Field(default=0.1, ge=0)
    heads_rate: float = Field(default=0.0, ge=0)


class StyleConfig(Frozen):
    """A set that says who drew what: the strength of drawing styles is chosen on its split `split`."""

    folder: str = "graphcomm20"
    split: str = "train"


class AdaptConfig(Experiment):
    """Everything that decides a run, besides the data and the encoders.

    `folder`, `split`: the pairs to make episodes of. `learn`: the scalars that the outer loop updates; the margin
    network is learned where `method` is adaptive. `head_dim`: E' of a learned start of M, 0 for the identity.
    `known_share`: weight of unused sketches of the support's own photos in the outer loss, beside those of photos held
    out. `validation`: every n-th category is left out of training and measured.
    """

    recipe: Literal["adaptive"] = "adaptive"
    name: str = "adaptive"
    method: Literal["adaptive", "bayes"] = "adaptive"
    folder: str = "sketchy104"
    split: str = "train"
    steps: int = Field(default=200, ge=0)
    episodes: int = Field(default=8, ge=1)
    ks: tuple[int, ...] = (1, 5, 10)
    learn: tuple[Scalar, ...] = ("shrinkage", "power", "share", "follow", "trust", "per_photo", "rate")
    head_dim: int = Field(default=0, ge=0)
    first_order: bool = False
    softness: float = Field(default=0.05, gt=0)
    negatives: int = Field(default=24, ge=0)
    known_share: float = Field(default=0.1, ge=0, le=1)
    outer_loss: Literal["softmax", "triplet"] = "softmax"
    outer_margin: float = 0.3
    temperature: float = Field(default=0.07, gt=0)
    rate: float = Field(default=0.03, gt=0)
    checkpoint_every: int = Field(default=50, ge=1)
    validation: int = Field(default=5, ge=2)
    draws: int = Field(default=10, ge=1)
    start: StartConfig = StartConfig()
    features: FeatureConfig = FeatureConfig()
    style: StyleConfig | None = None
