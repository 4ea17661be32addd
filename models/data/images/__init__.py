"""Images of pairs: decoded once, augmented in batches, laid out on sheets."""
