"""Who may do what: API keys, what they grant, and how much of it in a time."""
