"""What the online store held at one moment, and how each moment is read."""
