"""Photos to vectors, streaming, with a bounded number of photos in memory."""
