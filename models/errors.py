"""The root of every error tree of the product; it imports nothing.

InkseekError
├── AdaptationCorrupt                models.adapters.errors
├── BundleError, ImageError          models.bundle.errors, models.images.errors
├── SandboxError                     models.sandbox.errors
├── IndexArtifactError               index_builder.artifact.errors
├── BuildError                       index_builder.errors
├── ServiceError                     service.errors
└── DatasetError, EvaluationError …  in models, each in the module that raises it
"""


class InkseekError(Exception):
    """Root of the product's errors. The message says what was wrong and what is allowed."""
