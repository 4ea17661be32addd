"""What teacher and students look at, as pictures."""
