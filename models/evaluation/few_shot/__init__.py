"""How much a few examples help: any method, run over episodes, with intervals. Needs no torch."""
