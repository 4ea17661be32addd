"""Segments: immutable parts of a gallery that versions name, each with its vectors, photos and search index."""
