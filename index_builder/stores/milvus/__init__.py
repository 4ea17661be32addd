"""Vectors in Milvus: a collection per build, in which each segment is a partition that versions share."""
