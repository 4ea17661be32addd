"""What is compared, as configuration: every learned baseline is the product's meta-training with something switched."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.evaluation.few_shot.protocol import Unit
from models.training.engine.config import ConfigInvalid, merge_tables, read_experiment
from models.training.recipes.adaptive.config import AdaptConfig


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InnerRule(_Frozen):
    """How the inner loop differs from the paper's.

    `moves`: the head (ANIL and the paper), the head and a residual block before it (MAML), or nothing. `block`: the
    block's width: x + relu(x A) B. `margin`: fixed, None for the predicted one. `sign`: steps along the gradient's
    sign, first order (sign-MAML). `steps`: at training. `tuned_steps`: plain steps at test alone, at a rate that is
    chosen on training tasks (fine-tuning).
    """

    moves: Literal["head", "all", "nothing"] = "head"
    block: int = Field(default=0, ge=0)
    margin: float | None = Field(default=None, gt=0, lt=1)
    sign: bool = False
    steps: int = Field(default=1, ge=0)
    tuned_steps: int = Field(default=0, ge=0)


class Variant(_Frozen):
    """`changes`: of the comparison's `base`, as in an `AdaptConfig`."""

    name: str
    inner: InnerRule = InnerRule()
    changes: dict[str, Any] = {}


class TestSet(_Frozen):
    """`category`: of a split with several, the one to test on; None for all."""

    name: str
    folder: str
    split: str
    unit: Unit = Unit.CATEGORY
    category: str | None = None


class Plotted(_Frozen):
    """A plot of the report: the variants whose names start with `prefix`, in order, by what follows in the name."""

    title: str
    axis: str
    prefix: str
    joined: bool = True


class ComparisonConfig(_Frozen):
    """The whole comparison. `base`: what every variant changes, an `AdaptConfig`; its folder and split are trained on.

    `test_split`: of the same folder, the split that variants are compared on; `tests`: what the bundle's own adaptation
    is measured on. `ablation_k`: the k of ablations, `ablation_draws`: theirs. `shown`: the variant that the
    others are compared with, and whose inner steps and margins are reported.
    """

    schema_version: Literal[1]
    study: Literal["few_shot_comparison"]
    about: dict[str, Any]
    base: dict[str, Any]
    test_split: str
    tests: tuple[TestSet, ...] = ()
    ks: tuple[int, ...] = (1, 5, 10)
    draws: int = Field(default=50, ge=1)
    ablation_k: int = 5
    ablation_draws: int = Field(default=50, ge=1)
    seed: int = 0
    shown: str
    variants: tuple[Variant, ...]
    ablations: tuple[Variant, ...] = ()
    plots: tuple[Plotted, ...] = ()

    @classmethod
    def load(cls, path: Path) -> ComparisonConfig:
        """Raises ConfigInvalid."""
        try:
            config = cls.model_validate(read_experiment(path))
            for variant in (*config.variants, *config.ablations):
                config.adapt_config(variant)
        except (OSError, ValueError, ValidationError) as error:
            raise ConfigInvalid(f"{path} is no comparison: {error}") from error
        return config

    def adapt_config(self, variant: Variant) -> AdaptConfig:
        """The base with the variant's changes."""
        values = merge_tables(self.base, variant.changes)
        return AdaptConfig.model_validate({"about": self.about, "seed": self.seed, **values, "name": variant.name})
