"""What is exported: a student's function with its norms folded into convolutions and its weights rounded to half."""

from __future__ import annotations

import torch
from torch import nn

from models.export.stored_weights import HALVED_FROM
from models.networks.protocol import StudentEncoder


def fold(student: StudentEncoder, *, halved: bool) -> nn.Module:
    """A student of any form -> images (B, 3, S, S) to embeddings (B, E), folded and without gradients.

    `halved`: weights of at least `HALVED_FROM` numbers are rounded to what half precision can store, which is what is
    exported and what is measured.
    """
    folded = student.folded()
    if halved:
        with torch.no_grad():
            for weights in folded.parameters():
                if weights.numel() >= HALVED_FROM:
                    weights.copy_(weights.half())
    return folded.requires_grad_(False)
