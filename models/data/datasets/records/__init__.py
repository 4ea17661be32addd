"""What every layout is read into: sketches, the photos they were drawn from, the data set, and its findings."""
