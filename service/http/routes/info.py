"""What is being served, and what a request may hold."""

from __future__ import annotations

from fastapi import APIRouter, Request

from service.http import examples
from service.http.openapi import ok, problem_responses
from service.http.requests import process_of
from service.http.schemas.search import K_MAX, Info, Limits, MetadataFieldInfo

router = APIRouter(tags=["operation"])


@router.get(
    "/v1/info",
    summary="What is being served",
    responses=ok("Bundle, index, limits", examples.INFO) | problem_responses(),
)
def info(request: Request) -> Info:
    """Versions, figures and limits, for people and for clients that adapt to them."""
    process = process_of(request)
    settings = process.settings
    with process.serving.borrow() as retriever:
        bundle, index = retriever.bundle, retriever.index.manifest
        return Info(
            service="inkseek",
            version=request.app.version,
            bundle_id=bundle.bundle_id,
            bundle_name=bundle.manifest.name,
            bundle_metrics=bundle.manifest.metrics,
            index_version=retriever.index.version,
            index_created_at=index.created_at,
            index_kind=index.search.kind,
            index_recall=index.recall.recall if index.recall else None,
            photo_count=retriever.gallery().view.count,
            embedding_dim=index.embedding_dim,
            sketch_size_px=bundle.manifest.sketch.preprocess.size_px,
            providers=list(bundle.providers),
            threads=process.workers.threads,
            metadata_fields=[MetadataFieldInfo(name=field.name, type=field.type) for field in index.metadata_fields],
            adaptation_id=bundle.adaptation.adaptation_id if bundle.adaptation else None,
            adaptation_method=bundle.adaptation.method if bundle.adaptation else None,
            limits=Limits(
                max_upload_bytes=settings.max_upload_bytes,
                max_image_pixels=settings.max_image_pixels,
                max_strokes=settings.max_strokes,
                max_points=settings.max_points,
                max_batch_items=settings.max_batch_items,
                max_k=K_MAX,
                max_support_bytes=settings.max_support_bytes,
                max_pairs=settings.max_pairs,
                max_support_photos=settings.max_support_photos,
                max_adapters=settings.max_adapters,
            ),
        )
