"""The body that makes an API key."""

from __future__ import annotations

from pydantic import ValidationError

from service.access.key_management import KeyRequest
from service.errors import BodyInvalid
from service.http.schemas.keys import NewKey


def read_key_request(body: bytes) -> KeyRequest:
    """The key that a JSON body describes. Raises BodyInvalid, with each fault."""
    try:
        return NewKey.model_validate_json(body).to_request()
    except ValidationError as error:
        # The values themselves stay out of it: who confuses fields may have sent a secret.
        faults = [
            (".".join(str(part) for part in fault["loc"]) or "body", fault["msg"])
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise BodyInvalid("; ".join(f"{where}: {what}" for where, what in faults)[:500], faults) from error
