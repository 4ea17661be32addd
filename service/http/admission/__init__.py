"""Whether a request is let in: from whom, from which site, and how much of it; before any route does its work."""
