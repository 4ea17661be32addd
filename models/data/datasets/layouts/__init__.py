"""One reader per data set layout; `opening` sees from the folder which of them applies."""
