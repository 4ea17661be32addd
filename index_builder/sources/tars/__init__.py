"""Tars as WebDataset writes them: photos, and beside each its metadata as JSON."""
