"""Variants of a bundle in another numeric precision, each calibrated and validated against its parent."""
