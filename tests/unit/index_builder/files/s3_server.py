"""An S3 of its own for tests: moto's server in a thread, and the environment that clients find it by."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BUCKET = "gallery"


@dataclass(frozen=True)
class Bucket:
    """The bucket of a server, by boto3's client of it."""

    client: Any
    url: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "a-key",
            "AWS_SECRET_ACCESS_KEY": "a-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=key)

    def put_folder(self, folder: Path, prefix: str) -> str:
        """Every file below the folder; returns the URL of the prefix."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        return f"s3://{BUCKET}/{prefix}"

    def empty(self) -> None:
        urllib.request.urlopen(f"{self.url}/moto-api/reset", data=b"").close()
        self.client.create_bucket(Bucket=BUCKET)


@contextmanager
def serving_s3() -> Iterator[Bucket]:
    """A server with one bucket."""
    moto = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    import boto3

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it logs each request
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    try:
        yield Bucket(client, url)
    finally:
        client.close()
        server.stop()
