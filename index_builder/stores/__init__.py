"""Vector stores: they select and score the rows nearest to a query, and alone hold the gallery's vectors."""
