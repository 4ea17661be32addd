"""What could make adaptation worth more, in one run: ways that differ in what they read, over the same episodes."""
