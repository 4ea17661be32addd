"""The named galleries of one process, and the memory that they share."""
