from __future__ import annotations

import copy

import pytest
import torch

from models.networks.part_students import PartStudentConfig
from models.training.engine.averaging import move_average


@pytest.mark.parametrize(("decay", "step"), [(0.9, 1000), (0.9, 0), (0.0, 5)])
@torch.no_grad()
def test_every_weight_moves_once_by_whatever_names_it_goes(decay: float, step: int) -> None:
    torch.manual_seed(0)
    module = PartStudentConfig(size_px=32, width=0.1, depth=0.4, grid=2, channels=2, kind_dim=3).build()
    averaged = copy.deepcopy(module).requires_grad_(False)
    before = {name: value.clone() for name, value in averaged.state_dict().items()}
    for parameter in module.parameters():
        parameter.normal_()
    for name, value in module.named_buffers():
        if name.endswith("running_var"):
            value.uniform_(1.0, 2.0)
        elif name.endswith("num_batches_tracked"):
            value.fill_(7)
    move_average(averaged, module, decay, step)
    d = min(decay, (step + 1) / (step + 10))
    for name, value in averaged.state_dict().items():
        now = module.state_dict()[name]
        expected = d * before[name] + (1 - d) * now if value.is_floating_point() else now
        torch.testing.assert_close(value, expected, msg=name)
    assert averaged.sketch.trunk.head is averaged.photo.trunk.head  # a name of two, or this tests nothing
