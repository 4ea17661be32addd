"""What every experiment file has: a schema version, a recipe, a seed, and a plan of how long and how fast.

An experiment is a TOML file. Its options have defaults, and a run compares experiments with all defaults filled in, so
that an option of a later release leaves an earlier run resumable.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import InkseekError
from models.training.engine.schedule import Decay

SCHEMA_VERSION: Final = 1
"""Of experiment files: it changes when an option changes its meaning or goes, not when one is added."""

_SHIPPED = Path(__file__).resolve().parents[2] / "configs"


class ConfigInvalid(InkseekError):
    """The experiment file cannot be read or names an option or value that does not exist."""


class Frozen(BaseModel):
    """A value that rejects options it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainingPlan(Frozen):
    """How long and how fast. `new_rate`: of what has no pretrained weights; without it `rate` holds for everything.

    `accumulate`: batches a step; each contrasts within itself. `decay_share`, `warmup_steps`: see `rate_factor`, of a
    run that would be `span` times as long; `decay_per_step`: a further factor on the rate. `patience`: evaluations
    without a better score before the run ends early; 0: never. `clip`: of the gradient's length; 0: none. `publish`:
    the weights of the best evaluation, or those of the last one, for runs that are not to be chosen by their figures.
    """

    steps: int = Field(ge=1)
    accumulate: int = Field(default=1, ge=1)
    optimiser: Literal["adam", "adamw"] = "adamw"
    rate: float = 2e-4
    new_rate: float | None = None
    weight_decay: float = 0.01
    warmup_steps: int = 0
    decay_share: float = 0.0
    decay: Decay = "cosine"
    span: float = 1.0
    decay_per_step: float = 1.0
    clip: float = 5.0
    ema_decay: float = Field(default=0.0, ge=0.0, lt=1.0)
    frozen_stages: int = Field(default=0, ge=0, le=3)
    evaluate_every: int = Field(default=300, ge=1)
    checkpoint_every: int = Field(default=100, ge=1)
    patience: int = Field(default=0, ge=0)
    publish: Literal["best", "last"] = "best"


class Experiment(Frozen):
    """Everything that decides a run, besides the data. `about`: source, command, hardware, figures; never compared.

    A recipe subclasses it and narrows `recipe` to its own name.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    recipe: str
    about: dict[str, Any]
    seed: int = 0

    @classmethod
    def load(cls, path: Path, changes: Sequence[str] = ()) -> Self:
        """Read a TOML file; each of `changes` is a line of TOML such as `batch.pairs = 32`. Raises ConfigInvalid."""
        return cls.parse(read_experiment(path, changes), str(path))

    @classmethod
    def parse(cls, values: Mapping[str, Any], source: str) -> Self:
        """Check plain values; `source` names them in the message. Raises ConfigInvalid."""
        expected, recipe = cls.model_fields["recipe"].default, values.get("recipe")
        # Else every option that the two recipes do not share would be a flaw of its own.
        if isinstance(expected, str) and recipe is not None and recipe != expected:
            raise ConfigInvalid(f"{source} is an experiment of the recipe {recipe}; here it has to be {expected}")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigInvalid(f"{source} is not a valid experiment: {flaws_in_words(error)}") from error

    def described(self, **facts: Any) -> dict[str, Any]:
        """As plain values, for a run's config.json; `facts`: what the run depends on besides, such as hashes."""
        return {**facts, **self.model_dump(mode="json")}

    def normalised(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """The config.json of an earlier run with this release's defaults for the options that it does not have.

        Returned as it is where this release cannot read it: then the runs differ.
        """
        own = {name: value for name, value in known.items() if name in type(self).model_fields}
        try:
            filled = type(self).parse(own, "config.json").model_dump(mode="json")
        except ConfigInvalid:
            return dict(known)
        return {**known, **filled}


def flaws_in_words(error: ValidationError) -> str:
    """Each flaw as `option: what is wrong`, on one line."""
    flaws = []
    for flaw in error.errors(include_url=False):
        option = ".".join(str(part) for part in flaw["loc"])
        given = flaw["input"]
        value = f" (it is {given!r})" if isinstance(given, str | int | float | bool) and option else ""
        flaws.append(f"{option}: {flaw['msg']}{value}" if option else flaw["msg"])
    return "; ".join(flaws)


def read_experiment(path: Path, changes: Sequence[str] = ()) -> dict[str, Any]:
    """The plain values of an experiment file with changes over them. Raises ConfigInvalid.

    Where it is `based_on` a file beside it, or on one that ships, its own values go over those of the base, table by
    table. A file of another schema version, or of before there was one, is rejected.
    """
    values = _over_base(path, read_toml(path))
    for line in changes:
        values = merge_tables(values, parse_toml(line, line))
    version = values.get("schema_version")
    # TOML's `true` would pass for 1, because True == 1 in Python.
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise ConfigInvalid(f"{path} has schema_version {version}; this release reads {SCHEMA_VERSION}")
    return values


def _over_base(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    base = values.pop("based_on", None)
    if base is None:
        return values
    if base == path.name:
        raise ConfigInvalid(f"{path} names itself as its base")
    below = path.parent / str(base)
    if not below.is_file():
        below = _SHIPPED / str(base)
    return merge_tables(_over_base(below, read_toml(below)), values)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises ConfigInvalid where it is unavailable or not valid TOML."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigInvalid(f"{path} cannot be read: {error}") from error
    return parse_toml(text, str(path))


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """The tables of a TOML document; `source` names it in the message. Raises ConfigInvalid."""
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise ConfigInvalid(f"{source} is not valid TOML: {error}") from error


def merge_tables(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` over `values`, table by table; a list is replaced as a whole, and an empty table empties the other."""
    result = dict(values)
    for name, change in changes.items():
        old = result.get(name)
        if change and isinstance(change, dict) and isinstance(old, dict):
            result[name] = merge_tables(old, change)
        else:
            result[name] = change
    return result
