"""One folder per training recipe: its configuration, its task, and what it departs from in its paper."""
