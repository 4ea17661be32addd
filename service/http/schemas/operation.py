"""For operators: what is being served, its limits, and whether it is ready."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from index_builder.artifact import Originals
from service.access.principal import Access
from service.http.schemas.base import EXAMPLE_ADAPTATION_ID, EXAMPLE_BUNDLE_ID, EXAMPLE_INDEX_VERSION, Schema

PublishedVersion = Annotated[
    str | None, Field(description="What the index's pointer names; another than `index_version` is not in service.")
]
UpdateProblem = Annotated[str | None, Field(description="Why the published version is not in service.")]


class Limits(Schema):
    """What a request may hold."""

    max_upload_bytes: int
    max_image_pixels: int
    max_strokes: int
    max_points: int
    max_batch_items: int
    max_k: int
    max_support_bytes: int
    max_pairs: int
    max_support_photos: int
    max_adapters: int
    max_change_items: int
    max_change_bytes: int


class MetadataFieldInfo(Schema):
    """A metadata column that `filter` may name."""

    name: str
    type: str


class Info(Schema):
    """What is being served."""

    service: Literal["inkseek"]
    version: str
    gallery: str
    galleries_open: Annotated[list[str], Field(description="Open galleries, of those that the caller may see.")]
    bundle_id: str
    bundle_name: str
    bundle_metrics: dict[str, Any]
    index_version: str
    index_published_version: PublishedVersion = None
    index_update_problem: UpdateProblem = None
    index_created_at: str
    index_kind: str
    index_recall: float | None
    originals: Annotated[
        Originals,
        Field(
            description="Whether the photos' own files are at hand, by a look at a few; where one is not, `/image` "
            "answers its thumbnail."
        ),
    ] = "present"
    photo_count: int
    embedding_dim: int
    sketch_size_px: int
    providers: list[str]
    search_device: Annotated[str, Field(description="Where vectors are searched: `cpu` or `cuda`.")] = "cpu"
    search_device_problem: Annotated[
        str | None, Field(description="Why the CPU searches, where a GPU was looked for.")
    ] = None
    threads: int
    metadata_fields: list[MetadataFieldInfo]
    adaptation_id: Annotated[
        str | None, Field(description="What fits adapters to examples; null: the bundle cannot adapt.")
    ]
    adaptation_method: str | None = None
    read_only: Annotated[bool, Field(description="Nothing is adapted or written, for any key.")]
    access: Annotated[list[Access], Field(description="The scopes that this request has, as far as they are of use.")]
    feedback: Annotated[bool, Field(description="`POST /v1/feedback` takes pairs from who sends this request.")] = False
    limits: Limits


class Alive(Schema):
    """The process answers."""

    status: Literal["alive"]


class Readiness(Schema):
    """Sketches are answered right. `checked_s_ago`: age of the last right answer to the canary sketch."""

    status: Literal["ready"]
    bundle_id: str
    index_version: str
    index_published_version: PublishedVersion = None
    index_created_at: str
    checked_s_ago: Annotated[float, Field(ge=0)]
    index_update_problem: UpdateProblem = None
    adapters_active: Annotated[int, Field(ge=0, description="Adapters that are applied to searches.")] = 0
    adapters_outdated: Annotated[
        int,
        Field(ge=0, description="Categories and profiles with adapters of another bundle: `inkseek adapters refit`."),
    ] = 0
    online_problem: str | None = None
    galleries_open: Annotated[int, Field(ge=1, description="Open galleries, the default one included.")] = 1
    galleries_failed: Annotated[
        int, Field(ge=0, description="Galleries that could not be opened; those in service go on: see /v1/galleries.")
    ] = 0
    galleries_memory_bytes: Annotated[
        int, Field(ge=0, description="Estimated memory of the galleries beside the default one.")
    ] = 0


INFO_EXAMPLE: dict[str, Any] = {
    "service": "inkseek",
    "version": "0.1.0",
    "gallery": "default",
    "galleries_open": ["default"],
    "bundle_id": EXAMPLE_BUNDLE_ID,
    "bundle_name": "inkseek-small",
    "bundle_metrics": {"shoe_val": {"acc@1": 0.46}},
    "index_version": EXAMPLE_INDEX_VERSION,
    "index_published_version": EXAMPLE_INDEX_VERSION,
    "index_update_problem": None,
    "index_created_at": "2026-11-20T11:02:19Z",
    "index_kind": "flat",
    "index_recall": 1.0,
    "originals": "present",
    "photo_count": 1638,
    "embedding_dim": 800,
    "sketch_size_px": 160,
    "providers": ["CPUExecutionProvider"],
    "search_device": "cpu",
    "search_device_problem": "FAISS sees no GPU",
    "threads": 2,
    "metadata_fields": [{"name": "name", "type": "text"}],
    "adaptation_id": EXAMPLE_ADAPTATION_ID,
    "adaptation_method": "adaptive",
    "read_only": False,
    "access": ["adapt", "admin", "search", "write"],
    "feedback": False,
    "limits": {
        "max_upload_bytes": 10485760,
        "max_image_pixels": 16000000,
        "max_strokes": 2000,
        "max_points": 50000,
        "max_batch_items": 32,
        "max_k": 200,
        "max_support_bytes": 50331648,
        "max_pairs": 64,
        "max_support_photos": 128,
        "max_adapters": 32,
        "max_change_items": 1000,
        "max_change_bytes": 67108864,
    },
}
READY_EXAMPLE: dict[str, Any] = {
    "status": "ready",
    "bundle_id": EXAMPLE_BUNDLE_ID,
    "index_version": EXAMPLE_INDEX_VERSION,
    "index_published_version": EXAMPLE_INDEX_VERSION,
    "index_created_at": "2026-11-20T11:02:19Z",
    "checked_s_ago": 3.2,
    "index_update_problem": None,
    "adapters_active": 1,
    "adapters_outdated": 0,
    "online_problem": None,
    "galleries_open": 1,
    "galleries_failed": 0,
    "galleries_memory_bytes": 0,
}
