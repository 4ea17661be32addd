"""From a checkpoint to a bundle that serves."""
