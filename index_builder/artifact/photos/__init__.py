"""photos.sqlite: what is known of each photo of a segment, and its thumbnail; made by a writer, read by a store."""
