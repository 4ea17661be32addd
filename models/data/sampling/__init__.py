"""Which pairs form a batch or an episode. Row numbers only, no images."""
