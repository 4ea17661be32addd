"""Recall of a vector store: the queries that it is measured with, the measurement, and the setting that meets it."""
