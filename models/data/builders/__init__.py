"""Training pairs that are built rather than collected: doodles by name, line drawings from photos."""
