"""The OpenAPI document: what routes read, how they answer, and the whole of it."""
