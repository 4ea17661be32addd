"""Whether a drawing of some kind of thing finds a picture of that kind in a gallery of everything."""
