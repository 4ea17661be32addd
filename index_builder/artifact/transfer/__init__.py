"""Versions of an index that leave their directory, for an archive, and that arrive in another."""
