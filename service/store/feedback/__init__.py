"""Feedback: sketches with the photo that somebody said was the right one."""
