"""The rivals of the paper's table and its ablations in one framework: the same frozen embeddings, the same episodes."""
