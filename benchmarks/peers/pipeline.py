"""What every peer does with a sketch: decode, prepare, encode with the bundle's own ONNX file, search exactly.

It is the shortest code that finds the same photos for clean drawings: no limits, no normalisation, no records. Runs in
the peers' environment, without Inkseek. Run with SKETCH SECONDS it is the bare loop, without a server.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import onnxruntime as ort
from PIL import Image

DATA_VARIABLE = "PEERS_DATA"  # folder with sketch.onnx, vectors.npy, gallery.json
K = 10


class Pipeline:
    """One thread's worth of sketch to photos."""

    def __init__(self) -> None:
        """Loads everything from the folder that the environment names."""
        data = Path(os.environ[DATA_VARIABLE])
        gallery = json.loads((data / "gallery.json").read_text())
        self._photo_ids: list[str] = gallery["photo_ids"]
        self._size: int = gallery["size_px"]
        self._scale = (1 / (255 * np.array(gallery["std"]))).astype(np.float32)[:, None, None]
        self._shift = (np.array(gallery["mean"]) / np.array(gallery["std"])).astype(np.float32)[:, None, None]
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(str(data / "sketch.onnx"), options, providers=["CPUExecutionProvider"])
        vectors = np.load(data / "vectors.npy")
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)
        faiss.omp_set_num_threads(1)

    def __call__(self, image: bytes) -> dict[str, Any]:
        """An image file -> the K best photos."""
        grey = Image.open(io.BytesIO(image)).convert("L").resize((self._size, self._size), Image.Resampling.BILINEAR)
        tensor = np.asarray(grey, np.float32)[None] * self._scale - self._shift
        (embedding,) = self._session.run(["embedding"], {"image": tensor[None]})
        faiss.omp_set_num_threads(1)  # belongs to the calling thread
        scores, rows = self._index.search(embedding, K)
        hits = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        return {"results": [{"photo_id": self._photo_ids[row], "score": score} for row, score in hits]}


def main() -> None:
    """The bare loop: milliseconds of wall and CPU time per sketch, as JSON."""
    pipeline, image = Pipeline(), Path(sys.argv[1]).read_bytes()
    for _ in range(20):
        pipeline(image)
    laps, cpu, end = [], time.process_time(), time.perf_counter() + float(sys.argv[2])
    while (started := time.perf_counter()) < end:
        pipeline(image)
        laps.append((time.perf_counter() - started) * 1000)
    print(json.dumps({"p50_ms": float(np.median(laps)), "cpu_ms": (time.process_time() - cpu) * 1000 / len(laps)}))


if __name__ == "__main__":
    main()
