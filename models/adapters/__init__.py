"""Few-shot adaptation in numpy: category adapters and style adapters over stored embeddings. No torch, no images."""

from models.adapters.category import CategoryAdapter
from models.adapters.gate import LeaveOneOut, Ranks
from models.adapters.state import Adaptation, FittedCategory
from models.adapters.style import FittedStyle, StyleAdapter

__all__ = ["Adaptation", "CategoryAdapter", "FittedCategory", "FittedStyle", "LeaveOneOut", "Ranks", "StyleAdapter"]
