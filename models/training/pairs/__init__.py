"""Training on pairs of sketch and photo: data sets, batches and resources that its recipes share."""
