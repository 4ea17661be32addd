"""Time of a training step with its data over the same step with data in memory. Goal: 1.1 or less.

python benchmarks/training_loading.py [--task teacher] [--data DIR] [--config FILE] [--pairs 16] [--steps 5]
    [--device D] [--workers N]

The step is the teacher's or, without a teacher, the students', forward and backward, of an experiment file; the
baseline gets one batch again and again. The steps alternate, so other work on the machine hits both alike. `ratio` is
of wall seconds, `cpu_ratio` of the process's own: on a CPU that is shared with other work the surer one, but blind to
a slow disk.
Images are decoded before the first step, as in a run.
Without --data a set is made up for the purpose: outlines of shapes and the shapes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from models.networks.fused_teacher import Teacher
from models.training.engine.loop import Task
from models.training.engine.processes import Process
from models.training.pairs.batches import PairBatch, PairBatches
from models.training.pairs.run import PairRun, Resources
from models.training.recipes.xmodalvit.config import XModalConfig
from models.training.recipes.xmodalvit.teacher import TeacherTask
from models.training.students.task import Distillation, StudentsTask
from models.training.weights.start import freeze_stages

CONFIGS = Path(__file__).resolve().parents[1] / "models" / "configs"


def seconds(work: Callable[[], object], process: Process) -> tuple[float, float]:
    """Wall and CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    if process.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - wall, time.process_time() - cpu


def teacher_task(run: PairRun[XModalConfig], process: Process) -> tuple[Task[PairBatch], PairBatches]:
    teacher = Teacher(run.config.teacher)
    freeze_stages(teacher, run.config.require_teacher().plan.frozen_stages)
    task = TeacherTask(run.config, teacher.to(process.device), {}, process)
    return task, run.batches((run.config.teacher.encoder.size_px,), process, two_sketches=True)


def students_task(run: PairRun[XModalConfig], process: Process) -> tuple[Task[PairBatch], PairBatches]:
    students = run.config.student.build()
    freeze_stages(students, run.config.student_training.plan.frozen_stages)
    module = Distillation(students, students.config.embedding_dim).to(process.device)
    task = StudentsTask(run.config, module, None, {}, process)
    return task, run.batches(task.sizes, process, two_sketches=False)


def measure(
    task: Task[PairBatch], batches: PairBatches, workers: int, steps: int, process: Process
) -> dict[str, float]:
    stream = batches.from_to(0, steps + 1, workers)

    def train_on(batch: PairBatch) -> None:
        torch.autograd.backward(task.losses(batch)["total"])
        task.module.zero_grad(set_to_none=True)

    held = next(stream)
    train_on(held)  # the first step of any kind allocates
    memory, data = [], []
    for _ in range(steps):
        memory.append(seconds(lambda: train_on(held), process))
        data.append(seconds(lambda: train_on(next(stream)), process))
    (wall, cpu), (wall_data, cpu_data) = (
        [statistics.median(values) for values in zip(*times, strict=True)] for times in (memory, data)
    )
    return {
        "in_memory_s": round(wall, 3),
        "with_data_s": round(wall_data, 3),
        "ratio": round(wall_data / wall, 3),
        "cpu_ratio": round(cpu_data / cpu, 3),
    }


def made_up(root: Path) -> Path:
    """A folder of 64 photos in two categories, a sketch of each; every fourth is `val`."""
    lines = ["sketch_path,photo_path,category,photo_id,split"]
    for number in range(64):
        category, split = ("box", "disc")[number % 2], "val" if number % 8 > 5 else "train"
        box = (20 + number, 30, 120 + number, 100 + 2 * number)
        for kind, style in (("photo", {"fill": (200, 3 * number, 60)}), ("sketch", {"outline": "black", "width": 3})):
            image = Image.new("RGB", (256, 256), "white")
            pen = ImageDraw.Draw(image)
            (pen.rectangle if category == "box" else pen.ellipse)(box, **style)
            image.save(root / f"{kind}{number}.png")
        lines.append(f"sketch{number}.png,photo{number}.png,{category},{number},{split}")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


# The students' step is timed without a teacher, which would have to be trained first.
WITHOUT_TEACHER = (
    "pretrained = false",
    "student_training.losses = { queue_contrast = 0, relational_distance = 0, relational_angle = 0 }",
)
TASKS = {"teacher": teacher_task, "students": students_task}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=sorted(TASKS), default="teacher")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--config", type=Path, default=CONFIGS / "own_pairs_distilled.toml")
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=0)
    given = parser.parse_args()
    kind = ("cuda" if torch.cuda.is_available() else "cpu") if given.device == "auto" else given.device
    torch.set_num_threads(1)  # as a training process on a CPU has
    config = XModalConfig.load(given.config, [*WITHOUT_TEACHER, f"batch.pairs = {given.pairs}"])
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as shapes:
        data = given.data or made_up(Path(shapes))
        run = PairRun(config, Resources(data, workers=given.workers), Path(folder))
        run.prepare(Teacher(config.teacher))
        process = replace(Process(), device=torch.device(kind))
        task, batches = TASKS[given.task](run, process)
        figures = measure(task, batches, given.workers, given.steps, process)
    print(
        json.dumps(
            {
                "benchmark": "training_loading",
                "task": given.task,
                "device": kind,
                "pairs": config.batch.pairs,
                **figures,
            }
        )
    )


if __name__ == "__main__":
    main()
