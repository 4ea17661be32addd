"""`inkseek search`: an index, or a running service, searched for one sketch."""
