"""What a search is narrowed to: conditions, and what they mean over a gallery's fields."""
