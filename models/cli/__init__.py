"""The command line of the models: `inkseek bundle`, `data`, `evaluate` and `train`."""
