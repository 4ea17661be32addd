"""Searching on an accelerator: one thread owns it, and what it cannot do is done on the CPU, visibly."""

from index_builder.stores.device.card import Card, CardIndex
from index_builder.stores.device.search_device import SearchDevice

__all__ = ["Card", "CardIndex", "SearchDevice"]
