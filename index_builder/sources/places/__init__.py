"""Places that a manifest's photos lie in: a folder of this machine or a store."""
