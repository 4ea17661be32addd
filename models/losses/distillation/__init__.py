"""Losses that make a student answer as a teacher does."""
