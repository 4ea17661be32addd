"""What is wrong with the page's own files.

InkseekError
└── PageInvalid      the sources of the page do not fit together: a release's fault, never a request's
"""

from __future__ import annotations

from models.errors import InkseekError


class PageInvalid(InkseekError):
    """A source of the page is in a form that cannot be put together; the message names file and line."""
