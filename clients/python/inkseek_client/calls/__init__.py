"""Each route of the service as a function from Python values to a call; files are read, nothing is sent."""
