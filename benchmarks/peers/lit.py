"""LitServe as its documentation has it. `python -m benchmarks.peers.lit PORT WORKERS`."""

import sys
from typing import Any

import litserve
from fastapi import Request

from benchmarks.peers.pipeline import Pipeline


class SketchSearch(litserve.LitAPI):  # type: ignore[misc]  # LitServe has no types here
    """Decoding, encoding and searching in the worker process."""

    def setup(self, device: str) -> None:
        """Called once in each worker."""
        self.pipeline = Pipeline()

    # LitServe reads the annotation, as a class and not as text, to know what to hand over: for a Request its form.
    def decode_request(self, request: Request) -> bytes:
        """The file of a form."""
        content: bytes = request["sketch"].file.read()
        return content

    def predict(self, image: bytes) -> dict[str, Any]:
        """The K best photos."""
        return self.pipeline(image)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        """JSON as it is."""
        return output


if __name__ == "__main__":
    api = SketchSearch(api_path="/search")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=int(sys.argv[2]))
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
