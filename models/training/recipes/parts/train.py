"""Train students of two parts, from the checks before the first step to the last.

The layout learns from pairs alone, the kind from everything that has a label: pairs, and sketches and photos that
belong to no pair. Teachers are asked before the first step, once, and their answers kept.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import torch

from models.console import log
from models.losses.inputs import Need
from models.training.engine.config import ConfigInvalid
from models.training.engine.loop import Fit
from models.training.engine.processes import Process, available_device, to_device
from models.training.engine.run_directory import RunDirectory
from models.training.pairs.batches import require_learnable
from models.training.pairs.run import PairRun
from models.training.recipes.parts.batches import PartsBatches
from models.training.recipes.parts.config import PartsConfig, TeacherMember
from models.training.recipes.parts.edge_drawings import with_edge_drawings
from models.training.recipes.parts.kept_teachers import keep_ensemble, keep_photo_teacher, member_sha256
from models.training.recipes.parts.material import Material, galleries_of
from models.training.recipes.parts.pack import packed_start
from models.training.recipes.parts.prototype_file import PROTOTYPES_NAME, PrototypeFile
from models.training.recipes.parts.published import fetch_published
from models.training.recipes.parts.task import PartsLearner, PartsTask
from models.training.students.train import TeacherMissing
from models.training.weights.start import (
    freeze_stages,
    start_from_imagenet,
    start_from_published,
    start_from_students,
)


def train_parts(run: PairRun[PartsConfig]) -> None:
    """Train, or resume, the students of `run.config`; weights go to `students.pt` and `prototypes.pt`.

    Before the first step it raises TeacherMissing, ConfigInvalid, CheckpointInvalid, DatasetError, TrainingDataUnfit,
    PretrainedError, BundleError, and what `RunDirectory.open` and `PairRun.launch` raise.
    """
    config, members = run.config, _members(run)
    if config.distilling and not (members and config.taught):
        raise TeacherMissing("these losses need teachers and the pools that they teach: name both, or set weights to 0")
    students = config.student.build()
    for name, term in config.student_training.objective.terms.items():
        if term.part is not None and term.part not in students.parts:
            raise ConfigInvalid(f"{name} looks at the part {term.part!r}; these students have layout, kind")
    hashes: dict[str, object] = {"start_sha256": None, "teachers_sha256": [member_sha256(each) for each in members]}
    if config.published_student is not None:
        start_from_published(students, config.published_student)
    if run.start is not None:
        start_from_students(students, run.start)
        hashes["start_sha256"] = hashlib.sha256(run.start.read_bytes()).hexdigest()
    RunDirectory.open(run.out, config.described(task="students", **hashes), config.normalised)
    _prepare(run)
    run.launch(partial(_train_rank, run))


def _members(run: PairRun[PartsConfig]) -> tuple[TeacherMember, ...]:
    """Those of the experiment, and the one of the command at each size that the experiment names."""
    config = run.config
    if not config.distilling:
        return ()
    if run.teacher is None:
        return config.teachers
    sizes = config.teacher_sizes or (None,)
    return (*config.teachers, *(TeacherMember(path=str(run.teacher), size_px=size) for size in sizes))


def _prepare(run: PairRun[PartsConfig]) -> None:
    """Decode every image and ask every teacher, once, before several processes would do it at a time."""
    config = run.config
    fetch_published(config, run.pretrained, started=run.start is not None or _published(run) is not None)
    galleries = galleries_of(run)
    material = Material.open(run, log)
    run.note_data(material.images)
    pairs = material.pair_batches(config)
    require_learnable(pairs, run.resources.processes)
    sketches, photos = (len(rows) for rows in (material.images.sketches, material.images.photos))
    log(f"{sketches:,} sketches, {photos:,} photos, {len(pairs.pools)} categories of pairs")
    for name, parts in galleries.items():
        log(f"{name}: {sum(len(g.queries) for g in parts):,} sketches to validate on")
    if run.resources.processes > 1:
        # On the first device: a network that draws every photo would take an hour on a CPU.
        first = Process(device=torch.device(available_device(run.resources.device)))
        _batches(run, _with_edges(run, material, first), frozenset(), first)


def _train_rank(run: PairRun[PartsConfig], process: Process) -> None:
    config, plan = run.config, run.config.student_training.plan
    torch.manual_seed(config.seed)
    material = _with_edges(run, Material.open(run, lambda line: None), process)
    learner = PartsLearner(config.student.build(), material.table.kinds)
    known = _start(run, learner, material.table.kinds)
    freeze_stages(learner, plan.frozen_stages)
    to_device(learner, process)
    compatible = torch.from_numpy(material.table.compatible)
    task = PartsTask(config, learner, material.table.kinds, compatible, galleries_of(run), process)
    batches = _batches(run, material, known, process)
    folder = RunDirectory(run.out)
    Fit(task, plan, batches, folder, process, run.resources.workers, run.stop_after, run.keep).fit()


def _with_edges(run: PairRun[PartsConfig], material: Material, process: Process) -> Material:
    if run.config.edge_drawings is None:
        return material
    return with_edge_drawings(material, run.config.edge_drawings, run.pretrained, run.images, process)


def _published(run: PairRun[PartsConfig]) -> Path | None:
    """The file with published weights that the experiment names, or that the pack brings."""
    brought = packed_start(run.resources.data, run.config.student) if run.config.pretrained else None
    return run.config.published_student or brought


def _start(run: PairRun[PartsConfig], learner: PartsLearner, kinds: tuple[str, ...]) -> frozenset[str]:
    """Load what the run starts from; the kinds that those students knew."""
    config = run.config
    # From the general to the particular, since each start overwrites the one before it.
    published = _published(run)
    if published is not None and run.start is None:
        start_from_published(learner.students, published)
    elif config.pretrained and run.start is None:
        start_from_imagenet(learner.students, run.pretrained)
    if run.start is None:
        return frozenset()
    start_from_students(learner.students, run.start)
    beside = run.start.with_name(PROTOTYPES_NAME)
    if not beside.is_file():
        return frozenset()
    former = PrototypeFile.load(beside)
    former.start(learner.prototypes, kinds)
    return frozenset(former.kinds)


def _batches(run: PairRun[PartsConfig], material: Material, known: frozenset[str], process: Process) -> PartsBatches:
    config, needs = run.config, run.config.student_training.objective.needs
    cache = (run.resources.cache or run.out) / "teachers"
    ensemble = vectors = None
    if config.distilling:
        taught = material.taught_rows(config.taught, drawings=config.taught_drawings)
        ensemble = keep_ensemble(_members(run), material.images, taught, cache, process)
    if Need.KEPT_PHOTOS in needs and config.photo_teacher is not None:
        learned = material.learned_photos
        vectors = keep_photo_teacher(config.photo_teacher, material.images, learned, run.pretrained, cache, process)
    return PartsBatches(
        config=config,
        material=material,
        pairs=material.pair_batches(config),
        kinds=material.kind_batches(config, known),
        process=process,
        ensemble=ensemble,
        photo_vectors=vectors,
        resident=process.device.type == "cuda",
    )
