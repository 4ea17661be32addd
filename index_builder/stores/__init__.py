"""Vector stores: how the rows nearest to a query are found. Only this package holds the gallery's vectors."""
