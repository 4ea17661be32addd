"""The learning rate over a run: warm-up, plateau, decay to zero along a cosine or a line."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

Decay: TypeAlias = Literal["cosine", "linear"]


def rate_factor(step: int, steps: int, warmup: int, decay_share: float, decay: Decay = "cosine") -> float:
    """Factor in (0, 1] on the base rate at `step` of `steps`.

    Until the last `decay_share` of the run the factor does not depend on its length, so a run may be shortened or
    lengthened from a checkpoint of the plateau. `decay_share` 1 is the plain cosine.
    """
    start = steps * (1 - decay_share)
    # Counted from 1, so that the first step of a warm-up moves already.
    factor = min(1.0, (step + 1) / max(1, warmup))
    if step >= start:
        done = (step - start) / max(1.0, steps - start)
        factor *= 0.5 * (1 + math.cos(math.pi * done)) if decay == "cosine" else 1 - done
    return factor
