"""The body of a batch of changes: JSON, or a form whose field `items` is that JSON and whose other fields are files."""

from __future__ import annotations

import json
from typing import Any

from service.changes.batch import BatchItem
from service.errors import BatchTooLarge, BodyInvalid
from service.http.forms.body import Upload
from service.http.forms.multipart import parse_multipart
from service.http.forms.photo_form import described, read_object
from service.sketches.base64_text import decoded_image

ITEMS_FIELD = "items"

_MEMBERS = frozenset({"photo_id", "image_base64", "file", "delete"})


def read_changes(upload: Upload, max_items: int) -> list[BatchItem]:
    """The changes of a body, in their order. Raises BodyInvalid, BatchTooLarge."""
    if not upload.is_multipart:
        return _items(read_object(upload.body, "body"), {}, max_items)
    files: dict[str, bytes] = {}
    for part in parse_multipart(upload.body, upload.content_type, max_items + 1):
        if part.name in files:
            raise BodyInvalid(f"the form has the field {part.name[:80]!r} twice: each file needs a field of its own")
        files[part.name] = part.data
    if ITEMS_FIELD not in files:
        raise BodyInvalid("the form has no field 'items': a JSON array of changes")
    try:
        sent = json.loads(files.pop(ITEMS_FIELD))
    except (ValueError, RecursionError) as error:
        raise BodyInvalid(f"items: it is no JSON: {str(error)[:120]}", [(ITEMS_FIELD, "JSON is expected")]) from error
    items = _items(sent if isinstance(sent, dict) else {ITEMS_FIELD: sent}, files, max_items)
    if files:
        raise BodyInvalid(f"no item names the file {min(files)[:80]!r}")
    return items


def _items(document: dict[str, Any], files: dict[str, bytes], max_items: int) -> list[BatchItem]:
    sent = document.get(ITEMS_FIELD)
    if set(document) != {ITEMS_FIELD} or not isinstance(sent, list) or not sent:
        raise BodyInvalid(
            'changes are sent as {"items": [{"photo_id": …}, …]}', [(ITEMS_FIELD, "an array is expected")]
        )
    if len(sent) > max_items:
        raise BatchTooLarge(f"the batch has {len(sent):,} items; at most {max_items:,} are accepted")
    faults: list[tuple[str, str]] = []
    items = []
    for number, one in enumerate(sent):
        try:
            items.append(_item(one, files))
        except BodyInvalid as error:
            faults.append((f"items.{number}", str(error)))
    if faults:
        raise BodyInvalid("; ".join(f"{where}: {what}" for where, what in faults[:10]), faults[:100])
    return items


def _item(sent: object, files: dict[str, bytes]) -> BatchItem:
    """One change; its file is taken out of `files`. Raises BodyInvalid."""
    if not isinstance(sent, dict):
        raise BodyInvalid("an object is expected")
    category, metadata = described(sent, _MEMBERS)
    photo_id, delete = sent.get("photo_id"), sent.get("delete", False)
    if not isinstance(photo_id, str):
        raise BodyInvalid("it has no photo_id")
    if not isinstance(delete, bool):
        raise BodyInvalid("delete: true or false is expected")
    if delete and sent.keys() & {"image_base64", "file", "category", "metadata"}:
        raise BodyInvalid("a photo that is deleted has nothing else said of it")
    image = _image(sent, files)
    if image is None and not delete and not sent.keys() & {"category", "metadata"}:
        raise BodyInvalid("it changes nothing: send a file, category, metadata, or delete")
    return BatchItem(photo_id, image, delete, category, metadata if "metadata" in sent else None)


def _image(sent: dict[str, Any], files: dict[str, bytes]) -> bytes | None:
    if "file" in sent:
        name = sent["file"]
        if "image_base64" in sent or not isinstance(name, str) or name not in files:
            raise BodyInvalid("file: the name of a field of the form is expected, which no other item has named")
        return files.pop(name)
    if "image_base64" not in sent:
        return None
    if not isinstance(sent["image_base64"], str):
        raise BodyInvalid("image_base64: text is expected")
    try:
        return decoded_image(sent["image_base64"].encode(errors="replace"))
    except ValueError as error:
        raise BodyInvalid(f"image_base64: {error}") from error
