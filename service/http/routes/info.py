"""What is being served, and what a request may hold."""

from __future__ import annotations

from fastapi import Request

from service.config import Settings
from service.http.admission.auth import granted, principal_of
from service.http.openapi.responses import ok, problem_responses
from service.http.route import api_router
from service.http.schemas.operation import INFO_EXAMPLE, Info, Limits, MetadataFieldInfo
from service.http.schemas.search import K_MAX
from service.http.serving import process_of, serving_of
from service.http.tenancy import gallery_of

router = api_router("operation", "search")


@router.get(
    "/v1/info",
    summary="What is being served",
    responses=ok("Bundle, index, limits", INFO_EXAMPLE) | problem_responses(),
)
def get_info(request: Request) -> Info:
    """Versions, figures, limits and what the request's key may do, for people and for clients that adapt to them."""
    process, gallery, principal = process_of(request), gallery_of(request), principal_of(request)
    with serving_of(request) as retriever:
        bundle, index = retriever.bundle, retriever.index.manifest
        return Info(
            service="inkseek",
            version=request.app.version,
            gallery=gallery.name,
            galleries_open=[name for name in process.galleries.open_names if principal.may_see(name)],
            bundle_id=bundle.bundle_id,
            bundle_name=bundle.manifest.name,
            bundle_metrics=bundle.manifest.metrics,
            index_version=retriever.index.version,
            index_published_version=gallery.health.published_version,
            index_update_problem=gallery.health.update_problem,
            index_created_at=index.created_at,
            index_kind=index.search.kind,
            index_recall=index.recall.recall if index.recall else None,
            originals=retriever.index.originals(),
            photo_count=retriever.gallery().view.count,
            embedding_dim=index.embedding_dim,
            sketch_size_px=bundle.manifest.sketch.preprocess.size_px,
            providers=list(bundle.providers),
            search_device=retriever.index.device.name,
            search_device_problem=retriever.index.device.problem,
            threads=process.workers.threads,
            metadata_fields=[MetadataFieldInfo(name=field.name, type=field.type) for field in index.metadata_fields],
            adaptation_id=bundle.adaptation.adaptation_id if bundle.adaptation else None,
            adaptation_method=bundle.adaptation.method if bundle.adaptation else None,
            read_only=process.settings.read_only,
            access=granted(request),
            feedback=gallery.settings.feedback and "adapt" in granted(request),
            limits=limits_of(gallery.settings),
        )


def limits_of(settings: Settings) -> Limits:
    """Every limit is a setting of the same name, except the API's own `max_k`."""
    return Limits(max_k=K_MAX, **{name: getattr(settings, name) for name in Limits.model_fields if name != "max_k"})
