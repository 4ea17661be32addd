"""Jobs done in the background of each process, one of a gallery at a time."""
