"""The builder's side of segments: writing, sealing and merging them, and deciding what a new version reuses."""
