"""Files of photos as they were taken, and what of them is for others."""
