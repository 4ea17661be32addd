"""What is learned across categories for few-shot adaptation, and the file that holds it."""

from models.adapters.state.adaptation import Adaptation, FittedCategory, FittedStyle, LiveSupport
from models.adapters.state.settings import AdaptationSettings, Method

__all__ = ["Adaptation", "AdaptationSettings", "FittedCategory", "FittedStyle", "LiveSupport", "Method"]
