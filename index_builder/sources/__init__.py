"""Where the photos of a gallery come from: a folder or a table."""
