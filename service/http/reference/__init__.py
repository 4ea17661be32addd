"""The API reference as one page, made from the OpenAPI document: contents, every operation, and a form to try it."""
