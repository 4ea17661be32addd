"""FastAPI and uvicorn as their tutorials have it: an upload, a plain function in a thread."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, UploadFile

from benchmarks.peers.pipeline import Pipeline

app = FastAPI()
pipeline = Pipeline()


@app.post("/search")
def search(sketch: UploadFile) -> dict[str, Any]:
    """The K best photos."""
    return pipeline(sketch.file.read())
