"""Training data: pairs, the images in memory, augmentation, batches."""
