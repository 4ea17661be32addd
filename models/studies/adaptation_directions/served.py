"""What the study makes the served adaptation: the closed form with the usual weights of cells, and what it gains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.adapters import Adaptation, GainPrior
from models.adapters.prior import CentrePrior
from models.arrays import Vectors
from models.studies.adaptation_directions.gate_episodes import GateEpisode

CELLS_POWER = 0.7
FRAME = {"shrinkage": 1.36, "power": 0.25}
KNOWN_SPREAD = 0.9
"""Categories that encoders were trained on (shoes and chairs) have ratios from 0.89 to 1.14 in nine of ten episodes."""
STYLE_GAIN = GainPrior(mean=0.0, deviation=0.02)
"""Styles of graphcomm20's people gained nothing on average: a style is activated where its own examples say so."""
CENTRE = CentrePrior(share=1.0, follow=0.05, trust=1.8, per_photo=0.27)


def closed_form(usual_gains: Vectors, name: str = "bayes-cells") -> Adaptation:
    """(E,) the usual gains of cells -> the adaptation, for any bundle of that E; without a prior of what it gains."""
    start = Adaptation.untrained(len(usual_gains), "bayes", **FRAME)
    style = {"style_strength": 1.0, "style_photos": 3.0, "style_gain": STYLE_GAIN}
    settings = start.settings.model_copy(update={"centre": CENTRE, **style})
    gains = (usual_gains**CELLS_POWER).astype(np.float32)
    return Adaptation("bayes", len(usual_gains), settings, {"gains": gains}, name)


def gain_prior(episodes: Sequence[GateEpisode]) -> GainPrior:
    """The prior by moments: the mean over categories, the deviation between them less the noise of their episodes.

    How it grows with photos is the default; the spread at which it is the mean is the episodes' median.
    """
    tasks = sorted({each.task for each in episodes})
    usual = GainPrior()
    # A fit to P photos gains mean * P / (P + photos), so each episode estimates the mean at many photos.
    scaled = [
        np.array([each.gain * (each.photos + usual.photos) / each.photos for each in episodes if each.task == task])
        for task in tasks
    ]
    means = np.array([gains.mean() for gains in scaled])
    noise = np.mean([gains.var(ddof=1) / len(gains) for gains in scaled])
    deviation = float(np.sqrt(max(means.var(ddof=1) - noise, 0.01**2)))
    spreads = [each.spread for each in episodes if each.spread is not None]
    known = {"usual_spread": float(np.median(spreads)), "known_spread": KNOWN_SPREAD} if spreads else {}
    return GainPrior(mean=float(means.mean()), deviation=deviation, **known)
