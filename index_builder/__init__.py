"""The offline gallery builder, and (in `artifact`) the index that it leaves behind."""
