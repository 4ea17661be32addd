"""Losses: one file each, functions from tensors to named terms, found by name in `models.losses.table`.

A new loss is a file in one of the folders with a `Loss` in it, its test, and its line in the documentation's table.
"""
