"""Weights: pretrained ones, what a network starts from, blends, and how checkpoints hold students."""
