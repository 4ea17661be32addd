"""The competitors of the paper's table and its ablations in one framework: the same embeddings, the same episodes."""
