"""The encoder cut before its last layer: what the 1x1 projection of the layout reads, from the ONNX file itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from models.arrays import Vectors
from models.bundle import BundleCorrupt, ImageEncoder, Runtime
from models.bundle.embedding import WrappedEncoder
from models.bundle.encoder import INPUT_NAME

_PROJECTION = "layout.weight"


@dataclass(frozen=True)
class CellEncoder(WrappedEncoder):
    """Gives the projection's input in the embedding's place: C channels of each cell, flat."""

    session: ort.InferenceSession
    numbers: int

    @classmethod
    def of(cls, encoder: ImageEncoder, file: Path, runtime: Runtime) -> CellEncoder:
        """Cut the encoder at `file`. Raises BundleCorrupt where it has no projection of a layout."""
        model = onnx.load(str(file))
        reads = [node.input[0] for node in model.graph.node if node.op_type == "Conv" and node.input[1] == _PROJECTION]
        if not reads:
            raise BundleCorrupt(f"{file.name} has no convolution by {_PROJECTION}: it has no layout head to cut off")
        del model.graph.output[:]
        model.graph.output.append(onnx.helper.make_tensor_value_info(reads[0], onnx.TensorProto.FLOAT, None))
        session = runtime.session(model.SerializeToString(), file.name)
        size = encoder.preprocess.size_px
        (probe,) = session.run(None, {INPUT_NAME: np.zeros((1, 3, size, size), np.float32)})
        return cls(encoder, session, int(probe.size))

    @property
    def embedding_dim(self) -> int:
        """C times the number of cells."""
        return self.numbers

    def encode(self, batch: Vectors) -> Vectors:
        """(B, 3, S, S) -> (B, C * cells), not of length 1."""
        (cells,) = self.session.run(None, {INPUT_NAME: batch})
        flat: Vectors = cells.reshape(len(batch), -1)
        return flat
