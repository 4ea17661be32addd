"""The bodies of changes: a photo as it is or in a form, and what is said of it as JSON."""

from __future__ import annotations

import json
from typing import Any

from service.changes.photos import PhotoUpload
from service.errors import BodyInvalid
from service.http.forms.body import Upload
from service.http.forms.multipart import parse_multipart

PHOTO_FIELD, CATEGORY_FIELD, METADATA_FIELD = "photo", "category", "metadata"

_FIELDS = 8  # enough to say what is wrong with a form that has a few fields too many


def read_photo(upload: Upload, photo_id: str, category: str | None) -> PhotoUpload:
    """The photo of a body: a form with `photo`, `category` and `metadata`, or the file itself. Raises BodyInvalid.

    `category`: of the query; a form may name it in its place.
    """
    if not upload.is_multipart:
        if not upload.body:
            raise BodyInvalid("the body is empty: send the photo's file, or a form with the field 'photo'")
        return PhotoUpload(photo_id, upload.body, category)
    fields: dict[str, bytes] = {}
    for part in parse_multipart(upload.body, upload.content_type, _FIELDS):
        if part.name not in (PHOTO_FIELD, CATEGORY_FIELD, METADATA_FIELD):
            raise BodyInvalid(f"the form has a field {part.name[:80]!r}: a photo is made of photo, category, metadata")
        if part.name in fields:
            raise BodyInvalid(f"the form has the field {part.name!r} twice")
        fields[part.name] = part.data
    if PHOTO_FIELD not in fields:
        raise BodyInvalid("the form has no field 'photo', or no file was chosen for it")
    if CATEGORY_FIELD in fields:
        category = _text(fields[CATEGORY_FIELD], CATEGORY_FIELD)
    # A form sends the fields that nobody filled in, too.
    described_as = fields.get(METADATA_FIELD)
    metadata = read_object(described_as, METADATA_FIELD) if described_as else None
    return PhotoUpload(photo_id, fields[PHOTO_FIELD], category, metadata)


def read_description(body: bytes) -> tuple[str | None, dict[str, Any]]:
    """Category (None: not to be changed) and metadata of `{"category": …, "metadata": {…}}`. Raises BodyInvalid."""
    return described(read_object(body, "body"))


def described(sent: dict[str, Any], known: frozenset[str] = frozenset()) -> tuple[str | None, dict[str, Any]]:
    """The same of a JSON object that may have `known` members beside. Raises BodyInvalid."""
    if unknown := sorted(sent.keys() - {CATEGORY_FIELD, METADATA_FIELD} - known):
        raise BodyInvalid(f"there is no member {unknown[0][:80]!r}: 'category' and 'metadata' are what can be changed")
    category, metadata = sent.get(CATEGORY_FIELD), sent.get(METADATA_FIELD, {})
    if CATEGORY_FIELD in sent and not isinstance(category, str):
        raise BodyInvalid("category: text is expected", [(CATEGORY_FIELD, "text is expected")])
    if not isinstance(metadata, dict):
        raise BodyInvalid("metadata: a JSON object is expected", [(METADATA_FIELD, "a JSON object is expected")])
    return category, metadata


def read_object(data: bytes, where: str) -> dict[str, Any]:
    """A JSON object. Raises BodyInvalid."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BodyInvalid(f"{where}: it is no JSON: {str(error)[:120]}", [(where, "JSON is expected")]) from error
    if not isinstance(document, dict):
        raise BodyInvalid(f"{where}: a JSON object is expected", [(where, "a JSON object is expected")])
    return document


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BodyInvalid(f"{where}: it is not UTF-8", [(where, "UTF-8 is expected")]) from error
