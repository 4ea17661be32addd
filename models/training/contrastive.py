"""Train sketch and photo student with a symmetric contrastive loss. Read top to bottom.

    python -m models.training.contrastive --config models/configs/first_encoders.toml --data DIR --out DIR

Killed at any point, the same command goes on from the last checkpoint, with the result of an uninterrupted run.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn

from models.bundle.errors import InkseekError
from models.data.augment import draw_augmentation
from models.data.sampler import CategoryBatches
from models.data.training_images import TrainingImages, prepare_images
from models.losses.info_nce import InfoNceTerms, info_nce
from models.students import Students
from models.training.checkpoint import Checkpoint, CheckpointInvalid
from models.training.config import ExperimentConfig
from models.training.pretrained import RESNET18_IMAGENET, fetch
from models.training.ranks import gather_cells, rank_slice, sum_gradients
from models.training.schedule import rate_factor
from models.training.validation import IMAGENET_MEAN, IMAGENET_STD, validate

CHECKPOINT_NAME = "checkpoint.pt"


@dataclass(frozen=True)
class Run:
    """Where a run reads and writes, and how many processes of how many threads it may use."""

    config: ExperimentConfig
    data: Path
    out: Path
    processes: int = 1
    threads: int = 1
    stop_after: int | None = None
    """End after this step as if killed there."""


def train(run: Run) -> None:
    """Prepare the images once, then train in `run.processes` processes."""
    run.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(run.threads)
    config = run.config
    prepare_images(run.data, config.sets, config.cache_px, run.out / "images", _say)
    if config.pretrained:
        fetch(RESNET18_IMAGENET, run.out / "pretrained")
    if run.processes == 1:
        _train_rank(0, run, "")
        return
    with tempfile.TemporaryDirectory() as folder:
        rendezvous = f"file://{folder}/rendezvous"
        spawn(_train_rank, args=(run, rendezvous), nprocs=run.processes)  # type: ignore[no-untyped-call]


def _train_rank(rank: int, run: Run, rendezvous: str) -> None:
    torch.set_num_threads(run.threads)
    if run.processes > 1:
        dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=run.processes)
    config = run.config
    images = prepare_images(run.data, config.sets, config.cache_px, run.out / "images", _quiet)
    batches = CategoryBatches(
        pools=images.pools,
        batch_size=config.batch.pairs,
        groups=config.batch.groups,
        drawn_share=config.batch.drawn_share,
        synthetic_share=config.batch.synthetic_share,
        seed=config.seed,
    )
    students, averaged, optimiser, done = _start(run)
    began, began_at = time.monotonic(), done
    for step in range(done, config.steps):
        _set_rates(optimiser, config, step)
        terms = _gradients(students, images, batches, config, step, rank, run.processes)
        torch.nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], 5.0)
        optimiser.step()
        _average(averaged, students, config.optimiser.ema_decay, step)
        done = step + 1
        last = done in (config.steps, run.stop_after)
        if rank == 0 and (done % 20 == 0 or last):
            pace = (time.monotonic() - began) / (done - began_at)
            _log(run.out, {"step": done, "loss": round(float(terms.total.detach()), 4), "s_per_step": round(pace, 3)})
        if done % config.evaluate_every == 0 or last:
            figures = validate(averaged, run.data, config.validation, rank, run.processes)
            if rank == 0:
                _log(run.out, {"step": done, **figures})
        if rank == 0 and (done % config.checkpoint_every == 0 or last):
            checkpoint = Checkpoint(
                step=done,
                students=students.state_dict(),
                averaged=averaged.state_dict(),
                optimiser=optimiser.state_dict(),
                experiment=config.model_dump(mode="json"),
            )
            checkpoint.save(run.out / CHECKPOINT_NAME)
        if done == run.stop_after:
            break
    if run.processes > 1:
        dist.barrier()
        dist.destroy_process_group()


def _start(run: Run) -> tuple[Students, Students, torch.optim.Optimizer, int]:
    """Students, their running average, the optimiser and the steps done: from the checkpoint, or from ImageNet."""
    config = run.config
    torch.manual_seed(config.seed)
    students = Students(config.student)
    for trunk in students.trunks():
        if config.pretrained:
            published = fetch(RESNET18_IMAGENET, run.out / "pretrained")
            trunk.load_state_dict({name: published[name] for name in trunk.state_dict()})
        trunk.freeze(config.optimiser.frozen_stages)
    students.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = copy.deepcopy(students).requires_grad_(False)
    trunk_weights = [p for trunk in students.trunks() for p in trunk.parameters() if p.requires_grad]
    groups = [{"params": trunk_weights}, {"params": students.projections()}]
    optimiser = torch.optim.AdamW(groups, weight_decay=config.optimiser.weight_decay)
    path = run.out / CHECKPOINT_NAME
    if not path.is_file():
        return students, averaged, optimiser, 0
    saved = Checkpoint.load(path)
    if saved.experiment["student"] != config.model_dump(mode="json")["student"]:
        raise CheckpointInvalid(f"{path} holds students of another shape: give another --out, or delete it")
    students.load_state_dict(saved.students)
    averaged.load_state_dict(saved.averaged)
    optimiser.load_state_dict(saved.optimiser)
    return students, averaged, optimiser, saved.step


def _gradients(
    students: Students,
    images: TrainingImages,
    batches: CategoryBatches,
    config: ExperimentConfig,
    step: int,
    rank: int,
    world: int,
) -> InfoNceTerms:
    """Leave the gradients of this step's whole batch in the students' parameters."""
    batch = batches.batch(step)
    count = len(batch.photos) // world * world
    own = rank_slice(count, rank, world)
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    augmentation = draw_augmentation(count, config.augment, generator).rows(own)
    drawn, seen = augmentation.apply(*images.tensors(batch.sketches[own], batch.photos[own]), config.student.size_px)
    students.train()
    students.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        sketch_cells, photo_cells = students.cells(_normalised(drawn.expand(-1, 3, -1, -1)), _normalised(seen))
    sketches = students.sketch.head(gather_cells(sketch_cells.float(), rank, world))
    photos = students.photo.head(gather_cells(photo_cells.float(), rank, world))
    terms = info_nce(
        sketches,
        photos,
        torch.from_numpy(batch.photos[:count]),
        temperature=config.optimiser.temperature,
        label_smoothing=config.optimiser.label_smoothing,
    )
    torch.autograd.backward(terms.total)
    sum_gradients(students.trunks(), students.projections(), world)
    return terms


def _normalised(images: Tensor) -> Tensor:
    """(B, 3, S, S) in [0, 1] -> the same with the serving preprocessing's mean and deviation."""
    mean, std = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_STD).view(3, 1, 1)
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _set_rates(optimiser: torch.optim.Optimizer, config: ExperimentConfig, step: int) -> None:
    factor = rate_factor(step, config.steps, config.optimiser.warmup_steps, config.optimiser.decay_share)
    rates = (config.optimiser.rate, config.optimiser.head_rate)
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate * factor


@torch.no_grad()
def _average(averaged: Students, students: Students, decay: float, step: int) -> None:
    """Move the running average, the heads' statistics too; young averages forget faster."""
    decay = min(decay, (step + 1) / (step + 10))
    for mean, now in zip(averaged.state_dict().values(), students.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - decay)
        else:
            mean.copy_(now)


def _log(out: Path, entry: dict[str, object]) -> None:
    line = json.dumps(entry)
    with (out / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    _say(line)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _quiet(_: str) -> None:
    pass


def main(arguments: list[str] | None = None) -> int:
    """Command line. Exit code 2: the data, the configuration or a checkpoint cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m models.training.contrastive", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="an experiment file of models/configs")
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the data sets")
    parser.add_argument("--out", type=Path, required=True, help="checkpoints, log and decoded images go here")
    parser.add_argument("--processes", type=int, default=1, help="training processes, one a core is best")
    parser.add_argument("--threads", type=int, default=1, help="threads of each")
    parser.add_argument("--stop-after", type=int, help="end after this step; the same command goes on")
    given = parser.parse_args(arguments)
    try:
        config = ExperimentConfig.load(given.config)
        train(Run(config, given.data, given.out, given.processes, given.threads, given.stop_after))
    except InkseekError as error:
        _say(f"error: {error}")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
