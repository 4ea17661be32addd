"""Calibration images as onnxruntime's tools take them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader

from models.bundle.encoder import INPUT_NAME

_BATCH = 16


class CalibrationBatches(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime is untyped
    """(N, 3, S, S) inputs of an encoder, a batch at a time, once."""

    def __init__(self, images: NDArray[np.float32]) -> None:
        """Begin at the first image."""
        self._parts: Iterator[NDArray[np.float32]] = iter(
            images[start : start + _BATCH] for start in range(0, len(images), _BATCH)
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next batch as inputs of the model; None after the last."""
        part = next(self._parts, None)
        return None if part is None else {INPUT_NAME: part}
