"""An encoder computed in half precision, for GPUs: half the memory traffic, tensor cores where there are some.

bfloat16 is not offered: onnxruntime has no convolution in it for most providers, and falls back to float32 silently.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization.calibrate import CalibrationMethod, create_calibrator
from onnxruntime.transformers.float16 import convert_float_to_float16

from models.errors import InkseekError
from models.export.precision.calibration_batches import CalibrationBatches
from models.export.stored_weights import store_in_single, to_bytes

# The embedding's length is a sum of hundreds of squares, and a unit vector is what every reader relies on.
_IN_SINGLE = ("ReduceL2", "Clip", "Expand", "Div", "Concat", "LayerNormalization", "Softmax")
_LARGEST = 65504.0
_ROOM = 4.0  # calibration images do not show the largest value there is


class RangeExceeded(InkseekError):
    """Half precision cannot hold what the encoder computes."""


def to_float16(onnx_file: bytes, calibration: NDArray[np.float32]) -> bytes:
    """A float32 encoder and (N, 3, S, S) of its inputs -> the encoder in float16, input and output float32 as before.

    Raises RangeExceeded when an activation comes near what half precision can hold.
    """
    model = onnx.load_from_string(onnx_file)
    store_in_single(model)
    largest = largest_activation(model, calibration)
    if not largest * _ROOM < _LARGEST:
        raise RangeExceeded(f"an activation reaches {largest:,.0f}; half precision ends at {_LARGEST:,.0f}")
    halved = convert_float_to_float16(model, keep_io_types=True, op_block_list=list(_IN_SINGLE))
    del halved.graph.value_info[:]
    _put_in_order(halved)
    onnx.checker.check_model(halved, full_check=True)
    return to_bytes(halved)


def _put_in_order(model: onnx.ModelProto) -> None:
    """Each node once, after those that it reads from: the conversion appends casts at the end, one a reader."""
    known = {"", *(value.name for value in (*model.graph.input, *model.graph.initializer))}
    waiting = list({node.output[0]: node for node in model.graph.node}.values())
    del model.graph.node[:]
    while waiting:
        ready = [node for node in waiting if known.issuperset(node.input)]
        assert ready, "the graph has a cycle"
        waiting = [node for node in waiting if not known.issuperset(node.input)]
        model.graph.node.extend(ready)
        known.update(name for node in ready for name in node.output)


def largest_activation(model: onnx.ModelProto, calibration: NDArray[np.float32]) -> float:
    """Of all values between nodes, on (N, 3, S, S) inputs."""
    with tempfile.TemporaryDirectory() as folder:
        plain, augmented = Path(folder) / "plain.onnx", Path(folder) / "augmented.onnx"
        onnx.save(model, plain)
        calibrator = create_calibrator(plain, None, str(augmented), calibrate_method=CalibrationMethod.MinMax)
        calibrator.collect_data(CalibrationBatches(calibration))
        ranges = calibrator.compute_data().items()
    return max(float(np.abs(value.range_value).max()) for _, value in ranges)
