"""Routes that change what the gallery holds."""
