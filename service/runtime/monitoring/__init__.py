"""What one process looks at in the background, and what it knows of its health."""
