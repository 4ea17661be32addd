"""The forms that students come in, by name: an experiment says `form`, and everything else asks the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter, ValidationError

from models.errors import InkseekError
from models.networks.grid_students import GridStudentConfig
from models.networks.part_students import PartStudentConfig
from models.networks.protocol import StudentForm
from models.networks.vit_students import VitStudentConfig


class StudentFormUnknown(InkseekError):
    """An experiment names no form of students that this release has."""


def _form_of(value: Any) -> str:
    form = value.get("form", "grid") if isinstance(value, Mapping) else getattr(value, "form", "")
    return str(form)


AnyStudentForm = Annotated[
    Annotated[GridStudentConfig, Tag("grid")]
    | Annotated[PartStudentConfig, Tag("parts")]
    | Annotated[VitStudentConfig, Tag("vit")],
    Discriminator(_form_of),
]
"""For pydantic: a table with `form`, "grid" where it does not say."""

_FORMS: TypeAdapter[GridStudentConfig | PartStudentConfig | VitStudentConfig] = TypeAdapter(AnyStudentForm)


def student_form(experiment: Mapping[str, Any]) -> StudentForm:
    """The students' form out of an experiment, as students.pt or a bundle's provenance holds it.

    Experiments of before schema version 1 keep transformers in `vit_student`. Raises StudentFormUnknown.
    """
    old_vit = experiment.get("vit_student")
    values = {**old_vit, "form": "vit"} if isinstance(old_vit, Mapping) and old_vit else experiment.get("student")
    try:
        return _FORMS.validate_python(values)
    except ValidationError as error:
        raise StudentFormUnknown(f"the experiment names no students of this release: {error}") from error
