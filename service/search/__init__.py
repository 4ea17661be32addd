"""From an upload to ranked photos."""
