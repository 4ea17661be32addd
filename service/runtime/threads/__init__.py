"""Threads that take turns at blocking work, and who may wait for them."""
