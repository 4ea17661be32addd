"""BentoML as its documentation has it, with two workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bentoml

from benchmarks.peers.pipeline import Pipeline


@bentoml.service(workers=2)  # type: ignore[untyped-decorator, unused-ignore]
class SketchSearch:
    """Decoding, encoding and searching in the worker process."""

    def __init__(self) -> None:
        """Called once in each worker."""
        self.pipeline = Pipeline()

    @bentoml.api(route="/search")  # type: ignore[untyped-decorator, unused-ignore]
    def search(self, sketch: Path) -> dict[str, Any]:
        """The K best photos."""
        return self.pipeline(sketch.read_bytes())
