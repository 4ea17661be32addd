"""Photo sources: where the photos of a gallery come from. The builder knows the port alone (`sources.base`)."""
