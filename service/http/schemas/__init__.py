"""The JSON of requests and responses: for each its schema, its rendering from a record, and its documented example.

A new field of a response is added to the record of the use case and to one file here.
"""
