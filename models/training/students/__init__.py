"""Training a pair of students, with a teacher or without: what the recipes that end in students share."""
