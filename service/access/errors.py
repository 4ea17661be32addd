"""What is wrong with the keys, limits and address of a service, found when it starts or by `inkseek keys`.

ServiceError
└── AccessError
    ├── AddressExposed       others can reach the address, and no API key protects it
    ├── KeysUnreadable       the file of API keys is damaged, or may not be read
    │   └── KeysSchemaUnsupported    another release wrote it
    ├── KeysUnwritable       the file of API keys cannot be changed
    ├── KeyNotFound          no API key with that id
    └── RateLimitInvalid     what is no rate limit
"""

from __future__ import annotations

from service.errors import ServiceError


class AccessError(ServiceError):
    """Who may do what cannot be settled."""


class AddressExposed(AccessError):
    """Others than this machine can reach the address, there is no API key, and nobody said that this is meant."""


class KeysUnreadable(AccessError):
    """The file of API keys is damaged, of another release, or may not be read."""


class KeysSchemaUnsupported(KeysUnreadable):
    """The file of API keys has a schema version that this release does not read."""


class KeysUnwritable(AccessError):
    """The file of API keys cannot be changed: a read-only or full disk, or a folder of somebody else."""


class RateLimitInvalid(AccessError):
    """A text that is no rate limit, or no address of the Redis that counts."""


class KeyNotFound(AccessError):
    """No API key has that id."""
