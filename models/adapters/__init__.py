"""Few-shot adaptation in numpy: category adapters and style adapters over stored embeddings. No torch, no images.

fitted = bundle.adaptation.fit_category(sketches, positives, photos)
if fitted.passes_gate:
    adapter = fitted.adapter
    scores = adapter.scores(adapter.embed_sketches(queries), adapter.embed_photos(photos))    # (Q, G)
"""

from models.adapters.adapter import Adapter, NoAdapter
from models.adapters.category import CategoryAdapter, LowRankGram
from models.adapters.deep import Drawings, ProjectionRule, fit_deep
from models.adapters.errors import AdaptationCorrupt
from models.adapters.gate import ExpectedGain, Fitted, GainPrior, LeaveOneOut, Ranks
from models.adapters.state import Adaptation, FittedCategory, FittedStyle, LiveSupport
from models.adapters.style import StyleAdapter, joined

__all__ = [
    "Adaptation",
    "AdaptationCorrupt",
    "Adapter",
    "CategoryAdapter",
    "Drawings",
    "ExpectedGain",
    "Fitted",
    "FittedCategory",
    "FittedStyle",
    "GainPrior",
    "LeaveOneOut",
    "LiveSupport",
    "LowRankGram",
    "NoAdapter",
    "ProjectionRule",
    "Ranks",
    "StyleAdapter",
    "fit_deep",
    "joined",
]
