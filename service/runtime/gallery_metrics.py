"""What is measured of each named gallery, under a bounded number of names."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

OTHER = "other"
_CHANGES = ("put", "patch", "delete")

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0)  # seconds; each one costs a series per gallery


class GalleryMetrics:
    """The first galleries that are used have a label of their own, the others share `other`.

    Series are never dropped once they are there, so the number of names has to be bounded.
    """

    def __init__(self, registry: CollectorRegistry, most_names: int) -> None:
        """`most_names`: galleries with a label of their own."""
        self._most_names = most_names
        self._names: set[str] = set()
        self._answered: dict[tuple[str, int], tuple[Counter, Histogram]] = {}  # as in `Metrics`
        r = registry
        self.requests = Counter(
            "inkseek_gallery_requests", "Requests to a gallery, by status.", ["gallery", "status"], registry=r
        )
        self.request_seconds = Histogram(
            "inkseek_gallery_request_seconds",
            "Whole time of a request, by gallery.",
            ["gallery"],
            buckets=_BUCKETS,
            registry=r,
        )
        self.opened = Counter("inkseek_gallery_opened", "Times that a gallery was opened.", ["gallery"], registry=r)
        self.failures = Counter(
            "inkseek_gallery_failures", "Times that a gallery could not be opened.", ["gallery"], registry=r
        )
        self.closed = Counter(
            "inkseek_gallery_closed",
            "Galleries closed, by reason: idle, room (for another one) or removed.",
            ["reason"],
            registry=r,
        )
        self.is_open = _gauge("inkseek_gallery_open", "Processes that have the gallery open.", r, "livesum")
        self.photos = _gauge("inkseek_gallery_photos", "Photos in the gallery's index.", r, "livemax")
        self.index_created = _gauge(
            "inkseek_gallery_index_created_timestamp_seconds", "When the gallery's index was built.", r, "livemin"
        )
        self.index_behind = _gauge(
            "inkseek_gallery_index_behind",
            "1 while another version of the gallery's index is published and not loaded.",
            r,
            "livemax",
        )
        self.adapters_active = _gauge("inkseek_gallery_adapters_active", "Adapters in service.", r, "livemax")
        self.online_photos = _gauge("inkseek_gallery_online_photos", "Uploaded photos kept.", r, "livemax")
        self.jobs = Counter("inkseek_jobs", "Jobs queued, by kind: photos or rebuild.", ["kind"], registry=r)
        self.photo_changes = Counter(
            "inkseek_gallery_photo_changes",
            "Photos changed while they were served: put, patch or delete.",
            ["gallery", "change"],
            registry=r,
        )
        self.memory = Gauge(
            "inkseek_galleries_memory_bytes",
            "Estimated memory of the open galleries.",
            registry=r,
            multiprocess_mode="livesum",
        )

    def label(self, name: str) -> str:
        """The label of a gallery: its name, or `other` when there are as many names as may be."""
        if name in self._names:
            return name
        if len(self._names) >= self._most_names:
            name = OTHER
        if name not in self._names:
            self._names.add(name)
            # Series begin at zero, as in Metrics: Prometheus sees no increase in one that begins at 1.
            self.failures.labels(name)
            for change in _CHANGES:
                self.photo_changes.labels(name, change)
        return name

    def observe_request(self, name: str, status: int, seconds: float) -> None:
        """Count one request to a gallery that exists."""
        label = self.label(name)
        if (counted := self._answered.get((label, status))) is None:
            counted = self.requests.labels(label, str(status)), self.request_seconds.labels(label)
            self._answered[label, status] = counted
        counted[0].inc()
        counted[1].observe(seconds)

    def set_index(self, name: str, photos: int, created_at: float, *, is_behind: bool) -> None:
        """What a gallery's index holds and how old it is; unsaid for `other`: the last one would pass for all."""
        if (label := self.label(name)) != OTHER:
            self.photos.labels(label).set(photos)
            self.index_created.labels(label).set(created_at)
            self.index_behind.labels(label).set(int(is_behind))

    def set_online(self, name: str, *, adapters: int, uploads: int) -> None:
        """What a gallery's online store holds; unsaid for `other`."""
        if (label := self.label(name)) != OTHER:
            self.adapters_active.labels(label).set(adapters)
            self.online_photos.labels(label).set(uploads)


def _gauge(name: str, text: str, registry: CollectorRegistry, mode: str) -> Gauge:
    return Gauge(name, text, ["gallery"], registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type]
