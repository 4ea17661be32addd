"""What stored adaptation can be wrong in.

InkseekError
└── AdaptationCorrupt   an adaptation file is missing, damaged, of another format, or made for other embeddings
"""

from models.errors import InkseekError


class AdaptationCorrupt(InkseekError):
    """An adaptation file is missing, damaged, of another format, or made for other embeddings."""
