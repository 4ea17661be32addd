"""Writes tests/golden/keys_v1.json and adapter_v1.zip.b64: keys of schema version 1, an exported adapter of format 1.

Run once; the results are committed as they are. The archive is kept as base64, so that it is text.

python tests/golden/make_exchange_v1.py
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from pathlib import Path

from service.adaptation.exchange import exported
from service.store.online_store import OnlineStore
from service.store.records import AdapterTarget

GOLDEN = Path(__file__).parent

KEYS = {
    "schema_version": 1,
    "keys": [
        {
            "key_id": "0123456789ab",
            "name": "ada",
            "sha256": "4d6de64a52bf583f9e89078d417cd129066b4c0344dc80c4188c45be2414df68",
            "scopes": ["search", "adapt"],
            "created_at": "2026-01-02T03:04:05Z",
            "expires_at": "2031-01-02T03:04:05+01:00",
            "revoked_at": None,
            "galleries": ["shop"],
            "rate_limit": "10/second; 2000/day",
            "change_limit": "20/hour",
        },
        # As releases wrote it that knew neither galleries nor limits.
        {
            "key_id": "ba9876543210",
            "name": "ben",
            "sha256": "b" * 64,
            "scopes": ["admin"],
            "created_at": "2025-12-31T23:59:59Z",
            "revoked_at": "2026-01-01T00:00:00Z",
        },
    ],
}


def main() -> None:
    (GOLDEN / "keys_v1.json").write_text(json.dumps(KEYS, indent=2) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(GOLDEN / "online_v1", Path(folder) / "online")
        store = OnlineStore(Path(folder) / "online", "golden-bundle", 4)
        shoe = AdapterTarget("category", "shoe")
        data = exported(store, shoe, store.list_adapters(shoe)[1].adapter_id)
        store.close()
    (GOLDEN / "adapter_v1.zip.b64").write_bytes(base64.encodebytes(data))


if __name__ == "__main__":
    main()
