"""Losses that pull pairs together and push other rows apart."""
