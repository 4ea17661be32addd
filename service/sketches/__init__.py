"""A sketch as a client sent it, to pixels: its JSON forms, its raster formats, SVG in a process of its own."""
