"""Biases that anticipate rounded weights, against the means of what the convolutions give."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.bundle import Runtime
from models.export.precision.rounding_bias import anticipate_rounding
from models.export.stored_weights import to_bytes

RNG = np.random.default_rng(0)
IMAGES = (RNG.random((12, 3, 9, 9)) * np.array([1, 3, 9]).reshape(1, 3, 1, 1)).astype(np.float32)
LEVELS = 4  # coarse, so that it shows


def rounded(weights: np.ndarray) -> np.ndarray:
    out = np.zeros_like(weights)
    for channel, kernel in enumerate(weights):
        step = np.abs(kernel).max() / LEVELS
        out[channel] = np.rint(kernel / step) * step
    return out


def graph(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """1x1, ReLU, channel by channel 3x3 without padding, and a mean over places."""
    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["r"], name="relu"),
        helper.make_node("Conv", ["r", "w2", "b2"], ["b"], name="second", group=5),
        helper.make_node("GlobalAveragePool", ["b"], ["embedding"], name="pool"),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("image", "embedding")]
    stored = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    made = helper.make_graph(nodes, "g", ends[:1], ends[1:], stored)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def answers(model: onnx.ModelProto) -> np.ndarray:
    session = Runtime(device="cpu", threads=1).session(to_bytes(model))
    return np.asarray(session.run(None, {"image": IMAGES})[0])[:, :, 0, 0]


@pytest.fixture
def weights() -> dict[str, np.ndarray]:
    values = {
        "w1": RNG.normal(size=(5, 3, 1, 1)),
        "b1": np.full(5, 20.0),
        "w2": RNG.random((5, 1, 3, 3)),
        "b2": np.ones(5),
    }
    return {name: value.astype(np.float32) for name, value in values.items()}


def rounded_model(model: onnx.ModelProto, names: tuple[str, ...]) -> onnx.ModelProto:
    out = onnx.ModelProto()
    out.CopyFrom(model)
    for stored in out.graph.initializer:
        if stored.name in names:
            stored.CopyFrom(numpy_helper.from_array(rounded(numpy_helper.to_array(stored)), stored.name))
    return out


@pytest.mark.parametrize(("node", "name"), [("first", "w1"), ("second", "w2")])
def test_the_mean_answer_is_what_it_was_before_rounding(weights: dict[str, np.ndarray], node: str, name: str) -> None:
    """Of 1x1 layers and of a layer whose input has the same mean everywhere, this is exact up to the places' means."""
    model = graph(weights)
    before = answers(model).mean(axis=0)
    shifted = np.abs(answers(rounded_model(model, (name,))).mean(axis=0) - before).max()
    anticipate_rounding(model, IMAGES, {node}, LEVELS)
    after = np.abs(answers(rounded_model(model, (name,))).mean(axis=0) - before).max()
    assert shifted > 0.05
    assert after < 0.1 * shifted


def test_biases_of_other_nodes_stay(weights: dict[str, np.ndarray]) -> None:
    model = graph(weights)
    anticipate_rounding(model, IMAGES, {"second"}, LEVELS)
    stored = {value.name: numpy_helper.to_array(value) for value in model.graph.initializer}
    np.testing.assert_array_equal(stored["b1"], weights["b1"])
    assert not np.array_equal(stored["b2"], weights["b2"])
