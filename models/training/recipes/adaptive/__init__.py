"""Few-shot adaptation (Adaptive FG-SBIR, ECCV 2022): what is learned across categories, so that a few drawings do."""
