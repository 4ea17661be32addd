"""The online store: what changes while the service runs (adapters, their examples, uploaded photos), in SQLite."""
