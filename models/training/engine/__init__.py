"""The training engine: loop, run directory, state, schedule, distribution. It knows no loss by name."""
