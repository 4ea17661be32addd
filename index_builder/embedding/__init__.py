"""Photo embedders: photos to vectors, streaming, with a bounded number of photos in memory."""
