"""Few-shot adaptation as a use case: examples in, a category adapter or a style adapter out."""
