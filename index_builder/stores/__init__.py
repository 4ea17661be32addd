"""How the rows nearest to a query are found: exactly, or through candidates that FAISS proposes."""
