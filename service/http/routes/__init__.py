"""One module a group of routes: parse, one call, shape the reply."""
