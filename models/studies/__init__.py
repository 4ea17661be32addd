"""Experiments that compare: ablations, few-shot methods, attention maps, cost against accuracy."""
