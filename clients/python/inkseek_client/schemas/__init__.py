"""The service's answers as frozen pydantic classes.

Fields that a newer service adds are ignored; a contract test compares every field with the service's OpenAPI document.
"""
