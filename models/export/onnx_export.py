"""A student as an ONNX file: BatchNorm folded into convolutions, weights stored in half precision, unit rows out."""

from __future__ import annotations

import copy
import io
import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.bundle.encoder import INPUT_NAME, OUTPUT_NAME
from models.layers.resnet import BasicBlock
from models.students import Student

_OPSET = 18
_HALVED_FROM = 256  # numbers; smaller constants (shapes, biases of few channels) are not worth a Cast node


class FoldedStudent(nn.Module):
    """The same function as a student in eval mode, without a BatchNorm left in it.

    With `halved`, large weights are rounded to what half precision can store: what is exported, and what is measured.
    """

    def __init__(self, student: Student, *, halved: bool = False) -> None:
        """Copy the student and fold its norms; the student stays as it is."""
        super().__init__()
        student = copy.deepcopy(student).float().eval()
        trunk = student.trunk
        trunk.conv1, trunk.bn1 = _fuse(trunk.conv1, trunk.bn1)
        for block in trunk.modules():
            if isinstance(block, BasicBlock):
                block.conv1, block.bn1 = _fuse(block.conv1, block.bn1)
                block.conv2, block.bn2 = _fuse(block.conv2, block.bn2)
                if block.downsample is not None:
                    block.downsample = nn.Sequential(*_fuse(*block.downsample))
        self.trunk = trunk
        self.grid = student.grid
        self.levels = student.levels
        self.project = _fold_norm(student.head.norm, student.head.project)
        if halved:
            with torch.no_grad():
                for weights in self.parameters():
                    if weights.numel() >= _HALVED_FROM:
                        weights.copy_(weights.half())
        self.eval()

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, E), rows of length 1."""
        cells = torch.cat([_pooled(level, self.grid) for level in self.trunk.features(image)[-self.levels :]], dim=1)
        return nn.functional.normalize(self.project(cells).flatten(1), dim=1)


def _pooled(features: Tensor, grid: int) -> Tensor:
    """(B, C, H, W) -> (B, C, g, g)."""
    if features.shape[-1] % grid == 0:
        # The plain pool exports as one node and has a fast kernel everywhere; here it is the same function.
        return nn.functional.avg_pool2d(features, features.shape[-1] // grid)
    return nn.functional.adaptive_avg_pool2d(features, grid)


def export_onnx(student: Student, size_px: int) -> bytes:
    """A student -> ONNX file: input `image` (B, 3, S, S) float32, output `embedding` (B, E) float32, B free."""
    folded = FoldedStudent(student, halved=True)
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
    store_in_half(model)
    onnx.checker.check_model(model, full_check=True)
    buffer = io.BytesIO()
    onnx.save(model, buffer)
    return buffer.getvalue()


def store_in_half(model: onnx.ModelProto) -> None:
    """Store large float32 weights as float16 with a Cast behind them: half the file, computed in float32 as before.

    The weights of a halved student lose nothing by it. onnxruntime folds the casts when it opens the file, so they cost
    nothing per image.
    """
    casts = []
    for weights in model.graph.initializer:
        if weights.data_type != TensorProto.FLOAT or int(np.prod(weights.dims)) < _HALVED_FROM:
            continue
        name = weights.name
        halved = numpy_helper.from_array(numpy_helper.to_array(weights).astype(np.float16), f"{name}.half")
        weights.CopyFrom(halved)
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)


def _fuse(conv: nn.Module, norm: nn.Module) -> tuple[nn.Conv2d, nn.Module]:
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    return fuse_conv_bn_eval(conv, norm), nn.Identity()


def _fold_norm(norm: nn.BatchNorm2d, project: nn.Conv2d) -> nn.Conv2d:
    """A projection that does what the normalisation before it and the projection did."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = torch.rsqrt(norm.running_var + norm.eps)
    folded = nn.Conv2d(project.in_channels, project.out_channels, kernel_size=1)
    with torch.no_grad():
        folded.weight.copy_(project.weight * scale[None, :, None, None])
        folded.bias = nn.Parameter(-(folded.weight[:, :, 0, 0] @ norm.running_mean))
    return folded
