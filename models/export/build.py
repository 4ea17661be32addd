"""Students' weights to a bundle: export both encoders, compare them with torch, measure them, write the model card.

Two gates stand before the bundle: parity (ONNX answers as torch does) and accuracy on the validation splits, which is
measured through the files that ship. A new bundle takes over what holds in any space of the default bundle's
adaptation, so that its categories can be adapted at once; `inkseek train adapt` learns an adaptation of its own, and
`inkseek bundle add-adaptation` puts that into its place.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.adapters import Adaptation
from models.arrays import Vectors
from models.bundle import (
    Bundle,
    Encoder,
    ImageFile,
    Runtime,
    SketchNormalisation,
    add_adaptation,
    bundle_path,
    embed,
    require_free_place,
    write_bundle,
)
from models.bundle.manifest import ADAPTATION_NAME
from models.bundle.preprocess import Preprocess
from models.evaluation.protocol import CategoryGallery
from models.evaluation.splits import ValidationSplit, load_galleries
from models.export.card.model_card import model_card, read_text
from models.export.card.run_records import run_records
from models.export.folded import FoldedEncoder, fold
from models.export.gates import require_accuracy
from models.export.onnx_export import export_onnx
from models.export.parity import Parity, compare
from models.export.split_figures import as_metrics, as_table, encode_splits
from models.export.stored_weights import Storage
from models.networks.preprocessing import preprocesses
from models.networks.protocol import StudentForm, StudentPair
from models.training.weights.students_file import StudentsFile, load_students

MAX_DIFFERENCE = 1e-5  # of unit vectors, computed in float32 by two libraries


@dataclass(frozen=True)
class Release:
    """What a bundle is made of.

    `students`: a `students.pt`. `card`: a Markdown file, in which `{figures}` becomes the table of measured figures;
    None: the card writes itself (`models.export.card.model_card`), with the text of the file `intro` at its head.
    `data`: the folder that holds the data sets of the experiment's validation splits. `min_accuracy`: acc@1 in [0, 1]
    within the category that every split has to reach; None: more than chance level. `normalisation`: of sketches; None:
    as the experiment says. `storage`: of weights in the files.
    `trim`: of photos, see `Preprocess`; None: as the students were trained. `photo_px`: at which the photo encoder
    looks; None: as large as the sketch encoder, the students' own size.
    """

    students: Path
    card: Path | None
    data: Path
    out: Path
    name: str
    normalisation: SketchNormalisation | None = None
    min_accuracy: float | None = None
    storage: Storage = Storage.HALF
    intro: Path | None = None
    trim: bool | None = None
    photo_px: int | None = None


def build_bundle(release: Release) -> Bundle:
    """Write the bundle and open it.

    Raises CheckpointInvalid, CardUnreadable, ParityBroken, AccuracyTooLow, DatasetError, BundleError, OSError.
    """
    require_free_place(release.out)
    # What may be missing is read first: the export takes long.
    students, saved = load_students(release.students)
    card, intro = (None if file is None else read_text(file) for file in (release.card, release.intro))
    splits = tuple(ValidationSplit(**split) for split in saved.experiment["validation"])
    galleries = load_galleries(release.data, splits)
    size_px = students.config.size_px
    photo_px = release.photo_px or size_px
    models = (
        export_onnx(students.sketch, size_px, release.storage),
        export_onnx(students.photo, photo_px, release.storage),
    )
    framing = release.normalisation or SketchNormalisation(min_extent=saved.experiment.get("min_extent", 0.0))
    trim = saved.trim if release.trim is None else release.trim
    preprocess = preprocesses(size_px, framing, students.config.statistics, trim=trim, photo_px=photo_px)
    records = run_records(release.students, students, saved.experiment)
    draft = _Draft(release, saved, models, preprocess, students.config, records)
    # One split is enough, since it asks whether two libraries compute the same, not how well.
    parity = measured_parity(students, models, preprocess, galleries[splits[0].name], release.storage)
    # Before the figures: encoding every split is the longest step.
    parity.require(MAX_DIFFERENCE)
    with tempfile.TemporaryDirectory() as folder:
        # The figures are measured through the files that ship, so these exist before the manifest with the figures.
        drafted = draft.write(Path(folder) / "draft", "", {}, intro)
        rows = encode_splits(drafted, galleries)
    figures = {name: split.figures() for name, split in rows.items()}
    require_accuracy(figures, galleries, release.min_accuracy)
    metrics = {"splits": as_metrics(rows), "parity": asdict(parity)}
    if card is None:
        written = model_card(drafted.manifest.model_copy(update={"metrics": metrics}))
    else:
        written = card.replace("{figures}", as_table(figures))
    return draft.write(release.out, written, metrics, intro)


@dataclass(frozen=True)
class _Draft:
    """All of a bundle but its card and its figures."""

    release: Release
    saved: StudentsFile
    models: tuple[bytes, bytes]
    preprocess: tuple[Preprocess, Preprocess]
    form: StudentForm
    records: Mapping[str, Any]

    def write(self, out: Path, card: str, metrics: dict[str, Any], intro: str | None) -> Bundle:
        manifest = write_bundle(
            out,
            name=self.release.name,
            sketch_onnx=self.models[0],
            sketch_preprocess=self.preprocess[0],
            photo_onnx=self.models[1],
            photo_preprocess=self.preprocess[1],
            model_card=card,
            metrics=metrics,
            provenance={
                "experiment": self.saved.experiment,
                "steps": self.saved.step,
                "records": self.records,
                **({} if intro is None else {"intro": intro}),
            },
            parts=self.form.embedding_parts,
        )
        shipped = Adaptation.load(bundle_path() / ADAPTATION_NAME)
        add_adaptation(out, shipped.carried_over(manifest.adapted_dim))
        return Bundle.load(out, Runtime(device="cpu"))


def measured_parity(
    students: StudentPair,
    models: tuple[bytes, bytes],
    preprocess: tuple[Preprocess, Preprocess],
    galleries: Sequence[CategoryGallery],
    storage: Storage = Storage.HALF,
) -> Parity:
    """Both encoders on the sketches and photos of these galleries, as torch and as ONNX Runtime compute them."""
    files: tuple[list[ImageFile], list[ImageFile]] = (
        [query.sketch.image for gallery in galleries for query in gallery.queries],
        [photo.path for gallery in galleries for photo in gallery.photos],
    )
    dim = students.config.embedding_dim
    trained: list[Vectors] = []
    exported: list[Vectors] = []
    for number, student in enumerate((students.sketch, students.photo)):
        session = Runtime(device="cpu").session(models[number])
        trained.append(embed(FoldedEncoder(fold(student, storage), preprocess[number], dim), files[number]))
        exported.append(Encoder(session, preprocess[number], dim).embed(files[number]))
    return compare((trained[0], trained[1]), (exported[0], exported[1]), tolerance=MAX_DIFFERENCE)
