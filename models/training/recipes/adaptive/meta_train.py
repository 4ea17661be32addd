"""Meta-training: episodes of categories, an inner loop on each support, an outer loop on what all of them share.

Adaptive FG-SBIR (ECCV 2022), B3. A step's episodes are a function of the seed and the step, so a run that was killed
resumes as if it had not been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.data.kinds.word_vectors import WORD_DIM, name_vectors
from models.data.sampling.episodes import Episode, episode
from models.evaluation.few_shot.material import EmbeddedPart
from models.evaluation.few_shot.protocol import Unit
from models.training.engine.metrics import Metrics
from models.training.engine.run_directory import RunDirectory
from models.training.engine.state import CheckpointInvalid, load_tensors, save_tensors
from models.training.recipes.adaptive.config import AdaptConfig
from models.training.recipes.adaptive.inner_loop import hinge
from models.training.recipes.adaptive.meta_model import EpisodeAdapter, MetaModel, TaskTensors
from models.training.recipes.adaptive.regularisers import category_loss, domain_loss, feature_triplet, semantic_loss

Log = Callable[[str], object]


@dataclass(frozen=True)
class MetaTasks:
    """Categories to learn from and categories to measure on; `names`: of every category, by number."""

    train: tuple[TaskTensors, ...]
    validation: tuple[TaskTensors, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, parts: Sequence[EmbeddedPart], every: int, *, reduced: bool) -> MetaTasks:
        """Every `every`-th category of each space is for validation. Raises NoTasks."""
        tasks = [(part, task) for part in parts for task in part.material(Unit.CATEGORY).tasks]
        names = tuple(sorted({task.name for _, task in tasks}))
        made = [TaskTensors.of(part, task, names.index(task.name), reduced=reduced) for part, task in tasks]
        # A single category has to do for both.
        validation = made[::every]
        return cls(tuple(task for n, task in enumerate(made) if n % every) or tuple(made), tuple(validation), names)


class FeatureHeads(nn.Module):
    """D, C and G of the paper: linear heads on F, used in the outer loop alone."""

    def __init__(self, embedding_dim: int, names: Sequence[str]) -> None:
        """`names`: of the categories."""
        super().__init__()
        self.discriminator = nn.Linear(embedding_dim, 1)
        self.classifier = nn.Linear(embedding_dim, len(names))
        self.decoder = nn.Linear(embedding_dim, WORD_DIM)
        vectors, self.known = name_vectors(names)
        self.register_buffer("words", torch.from_numpy(vectors))
        self.words: Tensor


def meta_train(
    config: AdaptConfig,
    tasks: MetaTasks,
    run: RunDirectory,
    log: Log = print,
    *,
    stop_after: int | None = None,
    model: MetaModel | None = None,
) -> MetaModel:
    """Train, or resume from the state in `run`. `stop_after`: end after this step as if killed there.

    `model`: a fresh one with another inner loop, in place of the configuration's. Raises CheckpointInvalid.
    """
    torch.manual_seed(config.seed)
    embedding_dim = tasks.train[0].photos.shape[1]
    model = MetaModel(config, embedding_dim) if model is None else model
    heads = FeatureHeads(embedding_dim, tasks.names) if config.features.residual_rank else None
    learned = [p for module in (model, heads) if module is not None for p in module.parameters() if p.requires_grad]
    # A baseline may leave everything fixed, and a loss that nothing learned enters has no gradient to take.
    if not learned:
        return model
    rates = [config.rate] if heads is None else [config.rate, config.features.heads_rate or config.rate]
    groups = [module.parameters() for module in (model, heads) if module is not None]
    optimiser = torch.optim.Adam(
        [{"params": [p for p in group if p.requires_grad]} for group in groups], lr=config.rate, betas=(0.9, 0.99)
    )
    step = _resume(run.checkpoint, model, heads, optimiser)
    metrics = Metrics(run, step)
    while step < min(config.steps, stop_after or config.steps):
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            # From the configured rate anew: a resumed optimiser brings back the rate that its last step had.
            group["lr"] = rate * (1 - step / config.steps)
        optimiser.zero_grad()
        terms = _step(config, model, heads, tasks, step)
        optimiser.step()
        step += 1
        if step % 10 == 0 or step == config.steps:
            metrics.add(step, {**terms, **{name: model.value(name).item() for name in model.scalars}})
            log(f"step {step}: " + ", ".join(f"{name} {value:.4f}" for name, value in terms.items()))
        if step % config.checkpoint_every == 0 or step == config.steps:
            state = {
                "step": step,
                "model": model.state_dict(),
                "heads": heads.state_dict() if heads is not None else {},
                "optimiser": optimiser.state_dict(),
            }
            save_tensors(run.checkpoint, state)
    metrics.close()
    return model


def _step(
    config: AdaptConfig, model: MetaModel, heads: FeatureHeads | None, tasks: MetaTasks, step: int
) -> dict[str, float]:
    """Add the gradient of one batch of episodes; its terms, for the log."""
    random = np.random.default_rng([config.seed, step])
    sums: dict[str, float] = {}
    for number in random.integers(len(tasks.train), size=config.episodes):
        task = tasks.train[number]
        one = episode(task.task, int(random.choice(config.ks)), int(random.integers(2**31)), seed=config.seed)
        fitted = model.fit(task, one)
        terms = {"outer": outer_loss(config, fitted, one)}
        if heads is not None:
            terms |= _regularisers(config, model, heads, task, one, fitted)
        total = sum(terms.values(), start=torch.zeros(())) / config.episodes
        # Episode by episode, so that memory holds the graph of a single inner loop.
        torch.autograd.backward(total)
        if fitted.margin is not None:
            # It goes into the log alone, so it joins the terms after the gradient has been taken.
            terms["margin"] = fitted.margin
        for name, term in terms.items():
            sums[name] = sums.get(name, 0.0) + term.item() / config.episodes
    return sums


def outer_loss(config: AdaptConfig, fitted: EpisodeAdapter, one: Episode) -> Tensor:
    """Of the sketches of photos held out, and by `known_share` of the support's photos' unused ones. Scalar."""
    task = fitted.task
    loss = _retrieval(config, fitted, one.holdout, one.holdout_targets)
    spare = ~np.isin(task.task.sketches, np.concatenate([one.support, one.holdout]))
    if not config.known_share or not spare.any():
        return loss
    known = _retrieval(config, fitted, task.task.sketches[spare], task.task.targets[spare])
    return (1 - config.known_share) * loss + config.known_share * known


def _retrieval(
    config: AdaptConfig, fitted: EpisodeAdapter, sketches: np.ndarray[Any, Any], targets: np.ndarray[Any, Any]
) -> Tensor:
    scores = fitted.scores(fitted.task.rows(sketches))
    own = torch.from_numpy(targets)
    if config.outer_loss == "softmax":
        return F.cross_entropy(scores / config.temperature, own)
    # Rows have length 1, so |a - b|² = 2 - 2 a·b; the floor keeps the root's slope finite where they coincide.
    return hinge((2 - 2 * scores).clamp_min(1e-12).sqrt(), own, config.outer_margin)


def _regularisers(
    config: AdaptConfig, model: MetaModel, heads: FeatureHeads, task: TaskTensors, one: Episode, fitted: EpisodeAdapter
) -> dict[str, Tensor]:
    """L_D, L_C, L_ud and L_S of F, over support and holdout, each times its weight."""
    rows = np.concatenate([one.support, one.holdout])
    # A photo with several sketches stands once among the photos; `positives` says in which row of `owners`.
    owners, positives = np.unique(np.concatenate([one.support_targets, one.holdout_targets]), return_inverse=True)
    sketches = model.features(task, task.rows(rows) - fitted.centre)
    photos = model.features(task, task.photos[owners] - task.mean)
    weights, terms = config.features, {}
    if weights.domain:
        terms["domain"] = weights.domain * domain_loss(heads.discriminator, sketches, photos)
    if weights.category:
        terms["category"] = weights.category * category_loss(heads.classifier, sketches, photos, task.category)
    if weights.triplet:
        own = torch.from_numpy(positives.reshape(-1))
        terms["triplet"] = weights.triplet * feature_triplet(sketches, photos, own, margin=weights.triplet_margin)
    if weights.semantic and heads.known[task.category]:
        word = heads.words[task.category]
        terms["semantic"] = weights.semantic * semantic_loss(heads.decoder, sketches, photos, word)
    return terms


def _resume(checkpoint: Path, model: MetaModel, heads: FeatureHeads | None, optimiser: torch.optim.Optimizer) -> int:
    if not checkpoint.is_file():
        return 0
    try:
        state = load_tensors(checkpoint)
        model.load_state_dict(state["model"])
        if heads is not None:
            heads.load_state_dict(state["heads"])
        optimiser.load_state_dict(state["optimiser"])
        return int(state["step"])
    # State of another experiment fails as KeyError, RuntimeError or ValueError, according to what does not fit.
    except Exception as error:
        raise CheckpointInvalid(f"{checkpoint} is no state of this meta-training: {error}") from error
