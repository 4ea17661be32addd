"""One module a group of routes: parse, one call of a use case, shape the response."""
