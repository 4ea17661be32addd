"""Accuracy against cost: several bundles compared in one table and one page."""
