"""Typical mistakes with `train`, `evaluate`, `bundle`, `data`: one line that says what to do, never a traceback."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner, Result

from inkseek import app

CONTRASTIVE = """
schema_version = 1
recipe = "contrastive"
about = {}
pretrained = false
cache_px = 32
student = { size_px = 32, widths = [4, 8], grid = 2, channels = 3 }
batch = { pairs = 4, groups = 2, synthetic_share = 0.0 }
sets = [{ folder = "lamps", pool = "own", synthetic = false }]
validation = [{ name = "lamps", folder = "lamps", split = "val" }]
student_training = { losses.info_nce = 1.0, plan = { steps = 1 } }
"""
HEADER = ("sketch_path", "photo_path", "category", "photo_id", "split")


def write_pairs(folder: Path, *, photos: int = 3, splits: tuple[str, ...] = ("train", "val")) -> None:
    """Two categories; in each of the splits so many photos with a sketch each."""
    folder.mkdir(parents=True)
    rows = []
    for category in ("floor", "table"):
        for place, split in enumerate(splits):
            for number in range(photos):
                name = f"{category}-{split}-{number}.png"
                image = Image.new("RGB", (48, 48), "white")
                box = (4 + 3 * number, 6 + 4 * place, 40, 44 - number)
                ImageDraw.Draw(image).ellipse(box, outline="black", width=2)
                image.save(folder / name)
                rows.append((name, name, category, f"{split}-{number}", split))
    header, cells = (HEADER, rows) if splits != ("",) else (HEADER[:4], [row[:4] for row in rows])
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *cells])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data sets below `data`, `single`, `undivided`, `unmeasured`; experiments, a run, files of other kinds."""
    root = tmp_path_factory.mktemp("mistakes")
    write_pairs(root / "data/lamps")
    write_pairs(root / "single/lamps", photos=1)
    write_pairs(root / "undivided/lamps", splits=("",))
    write_pairs(root / "unmeasured/lamps", splits=("train",))
    write_pairs(root / "broken/lamps")
    (root / "broken/lamps/floor-train-1.png").write_bytes(b"no image")
    (root / "empty").mkdir()
    (root / "holiday").mkdir()
    (root / "holiday/beach.txt").write_text("mine")
    (root / "lamps.toml").write_text(CONTRASTIVE)
    (root / "distilled.toml").write_text(
        CONTRASTIVE.replace('"contrastive"', '"xmodalvit"').replace("info_nce = 1.0", "queue_contrast = 1.0")
    )
    (root / "note.txt").write_text("some text")
    trained = run(f"train students --config {root}/lamps.toml --data {root}/data --out {root}/run --device cpu")
    assert trained.exit_code == 0, trained.output
    shutil.copytree(root / "run", root / "cut")
    (root / "cut/checkpoint.pt").write_bytes((root / "run/checkpoint.pt").read_bytes()[:999])
    shutil.copytree(root / "run", root / "garbled")
    (root / "garbled/config.json").write_text("{")
    return root


def run(line: str) -> Result:
    return CliRunner().invoke(app, line.split())


STUDENTS = "train students --config @/lamps.toml --data @/data --out @/new --device cpu"
DISTILLED = STUDENTS.replace("lamps.toml", "distilled.toml")
BUILD = "bundle build --students @/run/students.pt --data @/data --out @/bundle"
EVALUATE = "evaluate --data @/data/lamps --bundle small --split val"
MISTAKES = [
    # experiments
    (f"{STUDENTS} --config own_pair", 2, "own_pairs"),
    (f"{STUDENTS} --config @", 2, "no file"),
    (f"{STUDENTS} --config @/note.txt", 1, "is not valid TOML"),
    (f"{STUDENTS} --config ablation", 1, "is for `inkseek train ablation`"),
    (f"{STUDENTS} --config adaptive", 1, "is for `inkseek train adapt`"),
    (f"{STUDENTS} --config adaptation_comparison", 1, "is for `inkseek train compare`"),
    (f"{STUDENTS} --set student.gird=3", 1, "gird: Unexpected keyword"),
    (f"{STUDENTS} --set batch.pairs=many", 1, "is not valid TOML"),
    (f"{STUDENTS} --set batch.pairs='many'", 1, "batch.pairs: Input should be a valid integer"),
    (f"{STUDENTS} --set batch.groups=0", 1, "batch.groups"),
    (f"{STUDENTS} --set student.size_px=1", 1, "16 are the least"),
    (f"{STUDENTS} --set student_training.losses.info_nce=0", 1, "no loss has a weight"),
    (f"{STUDENTS} --set student_training.plan.steps=0", 1, "student_training.plan.steps"),
    (f"{STUDENTS} --set published_student='@/none.pt'", 1, "none.pt does not exist"),
    (f"{STUDENTS} --keep 2", 1, "the run has steps 1 to 1"),
    ("train teacher --config @/lamps.toml --data @/data --out @/new", 1, "only xmodalvit does: train students"),
    ("train pack --config own_pairs --data @/data --out @/new", 1, "recipe contrastive; here it has to be parts"),
    ("train ablation --config @/lamps.toml --data @/data --out @/new", 1, 'study = "ablation"'),
    ("train adapt --config @/lamps.toml --data @/data --out @/new", 1, "here it has to be adaptive"),
    # data
    (f"{STUDENTS} --data @/none", 1, "none does not exist"),
    (f"{STUDENTS} --data @/note.txt", 1, "is a file, not a folder"),
    (f"{STUDENTS} --data models/bundles/small", 1, "is a bundle; the folder is expected"),
    (f"{STUDENTS} --data @/run", 1, "is the directory of a training run"),
    (f"{STUDENTS} --data @/data/lamps", 1, "give the folder that it lies in: @/data"),
    (f"{STUDENTS} --data @/holiday", 1, "folders in it: none"),
    (f"{STUDENTS} --data @/single", 1, "2 categories have a single photo"),
    (f"{STUDENTS} --data @/undivided", 1, "`inkseek data split`"),
    (f"{STUDENTS} --data @/unmeasured", 1, "it has train"),
    (f"{STUDENTS} --data @/broken", 1, "lamps/floor-train-1.png: not an image"),
    ("train pack --config parts --data @/data --out @/new", 1, "has no quickdraw_strokes/kinds.csv"),
    ("train baseline --data @/data", 1, "qmul_v1_train does not exist"),
    # the machine
    (f"{STUDENTS} --device gpu", 1, "there are auto, cpu, cuda"),
    (f"{STUDENTS} --device cuda:0", 1, "CUDA_VISIBLE_DEVICES"),
    (f"{STUDENTS} --processes 0", 2, "--processes"),
    # runs and weights
    (f"{STUDENTS} --out @/note.txt", 1, "is a file; a run writes a directory"),
    (f"{STUDENTS} --out @/note.txt/new", 1, "Not a directory"),
    (f"{STUDENTS} --out @/run --set batch.pairs=6", 1, "another batch: give another --out"),
    (f"{STUDENTS} --out @/cut", 1, "it is damaged"),
    (f"{STUDENTS} --out @/garbled", 1, "config.json is damaged: give another --out"),
    (f"{STUDENTS} --cache @/note.txt", 1, "note.txt"),
    (f"{STUDENTS} --teacher resnet18", 1, "no loss of this experiment learns from a teacher"),
    (f"{STUDENTS} --start @/none.pt", 1, "none.pt does not exist"),
    (f"{STUDENTS} --start @/note.txt", 1, "no file of weights"),
    (f"{STUDENTS} --start @/run/checkpoint.pt", 1, "the state that a run resumes from"),
    (f"{STUDENTS} --start @/run", 1, "such files in it: checkpoint.pt, students.pt"),
    (f"{STUDENTS} --start @/run/students.pt --set student.channels=5", 1, "have another form than those to train"),
    (DISTILLED, 1, "these losses need a teacher: give --teacher RUN"),
    (f"{DISTILLED} --teacher @/none", 1, "does not exist"),
    (f"{DISTILLED} --teacher @/run/checkpoint.pt", 1, "give a run's students.pt"),
    (f"{DISTILLED} --teacher small", 1, "training shows"),
    ("train blend --students @/none.pt --early @/run/students.pt --out @/b.pt", 1, "none.pt does not exist"),
    ("train blend --students @/run/students.pt --early @/note.txt --out @/b.pt", 1, "no file of weights"),
    # evaluation
    ("evaluate --data @/none", 1, "does not exist"),
    ("evaluate --data @/data", 1, "give one, such as lamps"),
    ("evaluate --data models/bundles/small", 1, "is a bundle, and no data set"),
    ("evaluate --data @/holiday", 1, "holds no known data set"),
    ("evaluate --data @/data/lamps --bundle small", 1, "train, val: say which with --split"),
    ("evaluate --data @/undivided/lamps --bundle small --split val", 1, "`inkseek data split` makes some"),
    (f"{EVALUATE}id", 1, "it has train, val"),
    (f"{EVALUATE} --bundle smal", 1, "default, resnet18, small"),
    (f"{EVALUATE} --bundle @/run", 1, "`inkseek bundle build` makes one"),
    (f"{EVALUATE} --bundle @/data/lamps", 1, "no bundle at"),
    (f"{EVALUATE} --against @/note.txt", 1, "no bundle at"),
    (f"{EVALUATE} --format coco", 1, "known: auto, manifest"),
    (f"{EVALUATE} --protocol kind", 2, "category"),
    (f"{EVALUATE} --report @/page.pdf", 2, "should end in .html"),
    (f"{EVALUATE} --report @/note.txt/page.html", 1, "note.txt"),
    (f"{EVALUATE} --adapt five", 1, "is not a list of numbers such as 1,5,10"),
    ("evaluate --data @/single/lamps --split val --protocol category", 1, "--protocol gallery searches all 2 photos"),
    ("evaluate-kinds --data @/data/lamps --split val --gallery @/none.csv", 1, "is no file"),
    # bundles
    (f"{BUILD} --students @/none.pt", 1, "does not exist"),
    (f"{BUILD} --students @/run", 1, "such files in it: checkpoint.pt, students.pt"),
    (f"{BUILD} --students @/run/checkpoint.pt", 1, "give a run's students.pt"),
    (f"{BUILD} --data @/none", 1, "does not exist"),
    (f"{BUILD} --data @/data/lamps", 1, "give the folder that it lies in"),
    (f"{BUILD} --data @/unmeasured", 1, "it has train"),
    (f"{BUILD} --card @/none.md", 1, "No such file"),
    (f"{BUILD} --intro @", 1, "is no text that could go into a model card"),
    (f"{BUILD} --card @/note.txt --intro @/note.txt", 2, "give one of them"),
    (f"{BUILD} --out @/holiday", 1, "which a bundle would replace"),
    (f"{BUILD} --out @/note.txt", 1, "note.txt is a file"),
    (f"{BUILD} --out @/note.txt/bundle", 1, "note.txt is a file"),
    (f"{BUILD} --name Lamps", 2, "small letters"),
    (f"{BUILD} --storage quarter", 2, "half, byte"),
    ("bundle quantize --bundle smal --data @/data --out @/int8", 1, "default, resnet18, small"),
    ("bundle quantize --bundle small --data @/data --out @/int8", 1, "is a variant of"),
    ("bundle quantize --bundle default --data @/data --out @/int8", 1, "has no qmul_v1_train"),
    ("bundle quantize --bundle default --data @/data --out @/holiday", 1, "which a bundle would replace"),
    ("bundle calibrate --bundle default --data @/data", 1, "has no qmul_v1_train"),
    ("bundle add-adaptation @/none.npz --bundle small", 1, "none.npz"),
    ("bundle verify @/holiday", 1, "no bundle at"),
    # making splits
    ("data split @/none", 1, "none"),
    ("data split @/data/lamps", 1, "--again replaces them"),
    ("data split @/undivided/lamps --share train=most", 2, "NAME=SHARE"),
    ("data inspect models/bundles/small", 1, "is a bundle, and no data set"),
]


@pytest.mark.parametrize(("line", "code", "said"), MISTAKES, ids=[line for line, _, _ in MISTAKES])
def test_a_mistake_is_answered_by_a_line(place: Path, line: str, code: int, said: str) -> None:
    ended = run(line.replace("@", str(place)).replace("'", '"'))
    assert isinstance(ended.exception, SystemExit), ended.exception
    assert ended.exit_code == code, ended.output
    if code == 2:  # typer draws a frame, and breaks lines in it
        assert said in " ".join(ended.stderr.replace("│", " ").split())
        return
    # Progress goes before it; the error itself is one line and the last one.
    error = ended.stderr.splitlines()[-1]
    assert error.split(":")[0].isidentifier(), error
    assert said.replace("@", str(place)) in error
    assert "Errno" not in error
    assert (place / "holiday/beach.txt").read_text() == "mine"
    assert not (place / "new/checkpoint.pt").exists()
