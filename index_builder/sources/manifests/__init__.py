"""Manifests: rows that name photos, in text tables, Parquet and JSON lines, and the types of their columns."""
