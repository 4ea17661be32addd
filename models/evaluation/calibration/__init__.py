"""What a bundle's scores mean: searches with known answers, and the probabilities fitted to them."""
