"""Options that several commands share, as a dataclass: each field is an option, and the command gets one value."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Annotated, Any, get_origin, get_type_hints


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer reads it: a parameter whose type is a dataclass of options becomes these options.

    They stand where the parameter stood; the command is called with the dataclass filled in. Options are those fields
    that are `Annotated`, each with a default. Names must differ from those of the command's own parameters.
    """
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, type[Any]] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        hint = hints[name]
        if get_origin(hint) is Annotated:
            parameters.append(parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY))
        else:
            groups[name] = hint
            parameters += _options_of(hint)
    names = {name: [parameter.name for parameter in _options_of(group)] for name, group in groups.items()}

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{option: given.pop(option) for option in names[name]})
        command(**given)

    # typer reads the signature, and resolves the annotations of the function behind it.
    vars(with_options)["__signature__"] = signature.replace(parameters=parameters)
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options


def _options_of(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    options = []
    for field in fields(group):
        assert field.default is not MISSING, f"{group.__name__}.{field.name} has no default"
        options.append(
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
            )
        )
    return options
