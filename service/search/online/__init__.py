"""Photos that changed since the index was built, as rows behind those of the index."""
