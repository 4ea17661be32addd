"""Jobs: changes that are queued, and done in the background."""
