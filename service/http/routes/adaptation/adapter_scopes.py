"""What differs between the adapter routes of a category and of a profile: paths, words, examples, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor

from models.errors import InkseekError
from service.adaptation.targets import NAME_CHARACTERS, NAME_PATTERN
from service.errors import CategoryAbsent, ProfileAbsent
from service.http.schemas.adaptation.adapters import ADAPTER_EXAMPLE, STYLE_ADAPTER_EXAMPLE
from service.store.records import Scope


class IdConvertor(Convertor[str]):
    """An adapter's id in a path: no colon, so that `ID:activate` is no id, and a GET of it not allowed."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        """As it is."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


register_url_convertor("adapter_id", IdConvertor())


@dataclass(frozen=True)
class ScopeRoutes:
    """What differs between the routes of the two scopes: paths, words, and the error for a name that does not exist.

    `parameter`: of the path, with its `description` and `example`. `noun`: of the adapter, in summaries.
    """

    scope: Scope
    path: str
    parameter: str
    description: str
    example: str
    noun: str
    fit_summary: str
    fit_description: str
    rollback_description: str
    absent: type[InkseekError]
    adapter: dict[str, Any]

    @property
    def in_path(self) -> Any:
        """The declaration of the path's parameter: the default of a route's `name`, whose alias differs by scope."""
        # Documented, and checked by the use case, whose problem says more.
        rule = {"minLength": 1, "maxLength": NAME_CHARACTERS, "pattern": NAME_PATTERN}
        return Path(alias=self.parameter, description=self.description, examples=[self.example], json_schema_extra=rule)

    def operation(self, verb: str) -> str:
        """The operation's id in the OpenAPI document, such as `list_category_adapters`."""
        return f"{verb}_{self.noun.replace(' ', '_')}"


CATEGORY = ScopeRoutes(
    scope="category",
    path="/v1/categories/{category:path}/adapters",
    parameter="category",
    description="A category, slashes and all; a new one brings its photos along.",
    example="clothing",
    noun="category adapter",
    fit_summary="Adapt a category to a few examples",
    fit_description="Fits a category adapter to pairs of a sketch and the photo that it shows; searches with "
    "`category=` then go through it.\n\nIt is activated where a gain is expected on other drawings: by what such "
    "adapters gained in other categories and by leave-one-out over the examples, compared with the active adapter. "
    "Uploaded photos need the scope `write`, too: they join the gallery, at once and for good, "
    "whether or not it is activated.",
    rollback_description="Undoes the last activation. `active` is null when no adapter is left: the category's photos "
    "are compared mean-centred, zero-shot.",
    absent=CategoryAbsent,
    adapter=ADAPTER_EXAMPLE,
)
PROFILE = ScopeRoutes(
    scope="profile",
    path="/v1/profiles/{name}/adapters",
    parameter="name",
    description="A name for the user who draws; `@key` is the profile of the key that the request brings.",
    example="ada",
    noun="style adapter",
    fit_summary="Adapt to a user's way of drawing",
    fit_description="Fits a style adapter, as for a category, with photos of the gallery alone; searches with "
    "`profile=` then go through it.\n\nThe profile `@key` follows the key: each adaptation adds its examples to those "
    "from other galleries, and the key's searches that name no profile go through it in all of them.",
    rollback_description="Undoes the last activation. `active` is null when no adapter is left: sketches are encoded "
    "zero-shot.",
    absent=ProfileAbsent,
    adapter=STYLE_ADAPTER_EXAMPLE,
)
