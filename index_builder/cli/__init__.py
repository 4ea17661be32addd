"""The command line of the builder: `inkseek index`."""
