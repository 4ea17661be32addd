"""The online room: what changes while the service runs (heads, their examples, uploaded photos), durable in SQLite."""
