"""The HTTP service: a sketch in, the photos most like it out."""
