"""The command line of the service: `inkseek serve`, `search` and `adapters`."""
