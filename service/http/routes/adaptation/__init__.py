"""Adapters fitted, listed, activated; feedback collected for them."""
