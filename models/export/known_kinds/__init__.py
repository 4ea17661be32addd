"""What a search goes by depends on how well the encoder knows the kind of thing that was drawn."""

from models.export.known_kinds.graphs import weigh_photos, weigh_sketches
from models.export.known_kinds.prototypes import KnownKinds, prototypes
from models.export.known_kinds.weighing import KindWeighing

__all__ = ["KindWeighing", "KnownKinds", "prototypes", "weigh_photos", "weigh_sketches"]
