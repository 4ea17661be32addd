"""Where the bytes of photos lie: objects of a store, members of tars. Builders and readers of an index know them."""
