"""SVG to pixels: read, expanded within limits and rendered in a process of its own."""
