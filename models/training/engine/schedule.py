"""The learning rate over a run: warm-up, plateau, cosine decay to zero."""

from __future__ import annotations

import math


def rate_factor(step: int, steps: int, warmup: int, decay_share: float) -> float:
    """Factor in (0, 1] on the base rate at `step` of `steps`.

    Until the last `decay_share` of the run the factor does not depend on its length, so a run may be shortened or
    lengthened from a checkpoint of the plateau. `decay_share` 1 is the plain cosine.
    """
    start = steps * (1 - decay_share)
    # Counted from 1, so that the first step of a warm-up moves already.
    factor = min(1.0, (step + 1) / max(1, warmup))
    if step >= start:
        factor *= 0.5 * (1 + math.cos(math.pi * (step - start) / max(1.0, steps - start)))
    return factor
