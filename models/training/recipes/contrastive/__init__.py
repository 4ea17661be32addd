"""Plain contrast: two students learn from pairs alone, without a teacher."""
