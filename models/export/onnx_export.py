"""A student as an ONNX file: BatchNorm folded into convolutions, weights stored in fewer bits, unit rows out."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import onnx
import torch

from models.bundle.encoder import INPUT_NAME, OUTPUT_NAME
from models.export.folded import fold
from models.export.stored_weights import Storage, store_weights, to_bytes
from models.networks.protocol import StudentEncoder

_OPSET = 18


def export_onnx(student: StudentEncoder, size_px: int, storage: Storage = Storage.HALF) -> bytes:
    """A student -> ONNX file: input `image` (B, 3, S, S) float32, output `embedding` (B, E) float32, B free."""
    folded = fold(student, storage)
    # Two images, because the exporter takes a dimension of 1 for a constant.
    example = torch.zeros(2, 3, size_px, size_px)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "student.onnx"
        torch.onnx.export(
            folded,
            (example,),
            str(path),
            dynamo=True,
            opset_version=_OPSET,
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=False,
            verbose=False,
        )
        model = onnx.load(path)
    del model.metadata_props[:]
    for node in model.graph.node:
        # The exporter records where in the source a node came from: paths of the machine it ran on.
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.graph.value_info[:]
    store_weights(model, storage)
    onnx.checker.check_model(model, full_check=True)
    return to_bytes(model)
