"""Kinds of things over all data sets: which names say one kind, which must not be learned, and vectors of names."""
