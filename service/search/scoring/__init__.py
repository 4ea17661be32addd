"""Which photos take part in a search, what their scores are worth, and which look the same."""
