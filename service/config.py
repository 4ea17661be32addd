"""Settings of the service: environment variables `INKSEEK_*` and `inkseek serve` options, checked once at start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from index_builder.artifact import MilvusServer, MilvusUriInvalid, check_milvus_uri
from models.bundle import ImageLimits, Runtime, StrokeLimits, bundle_path, cpu_quota
from service.access.errors import RateLimitInvalid
from service.access.networks import networks_of
from service.access.principal import Access
from service.access.rate_limits import limit_items
from service.access.root_path import checked_root_path
from service.environment import ENV_PREFIX, reject_unknown_variables, written_by_platform
from service.gallery_folders import GalleryFolders


class _OwnVariables(EnvSettingsSource):
    """The environment without what Kubernetes writes for a Service of our name."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        found = super()._load_env_vars()
        return {name: value for name, value in found.items() if not written_by_platform(name, value or "")}


def _place(value: object) -> object:
    """A folder, or a URL, which a path cannot hold."""
    return Path(value) if isinstance(value, str) and "://" not in value else value


class Settings(BaseSettings):
    """Everything about a running service that is in neither bundle nor index. Frozen; read it with `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    index: Path = Field(description="Index directory, as `inkseek index build --out` wrote it.")
    bundle: Path | None = Field(
        default=None,
        description="Model bundle: a shipped one's name, such as `small`, or a directory; empty: the default.",
    )
    gallery_root: Annotated[Path | str | None, BeforeValidator(_place)] = Field(
        default=None,
        description="Folder or URL with the original photos; empty: the one that the index was built from. "
        "Where a photo is not at hand its thumbnail is answered.",
    )
    online_dir: Path | None = Field(
        default=None,
        description="Folder, writable, for what changes while serving (adapters, their examples, uploaded photos); "
        "empty: `online` in the index directory.",
    )

    host: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1",),
        min_length=1,
        description="Comma-separated addresses or names to listen on; `0.0.0.0` for every IPv4 interface, `::` for "
        "every interface in both families.",
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Processes, each with its own encoder; empty: one per CPU of the container's quota, at most 8 and "
        "one per 256 MiB of its memory. One alone on a GPU, with `threads` given, and where it counts rate limits.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Sketches answered side by side in one process; empty: the container's CPU quota over `workers`.",
    )
    queue_size: int = Field(
        default=64, ge=0, le=10_000, description="Requests that may wait for a thread; one more is answered 429."
    )
    request_timeout_s: float = Field(
        default=15.0, gt=0, le=600, description="Longest time from a received body to its answer; then 503."
    )

    max_connections: int = Field(
        default=1_000,
        ge=8,
        le=100_000,
        description="Connections of one process, fewer where the system allows fewer open files. One more takes the "
        "place of the one that has waited longest without a request.",
    )
    drain_s: float = Field(
        default=1.5,
        ge=0,
        le=300,
        description="Seconds between SIGTERM, from which on `/readyz` is red, and the end of listening.",
    )

    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        description="Where encoders run and vectors are searched; `auto` takes a GPU where onnxruntime, or FAISS, "
        "offers one.",
    )
    require_gpu: bool = Field(default=False, description="Fail to start where encoders or searches would run on a CPU.")

    max_upload_bytes: int = Field(
        default=10 * 2**20, ge=1_024, le=2**30, description="Largest request body in bytes; more is answered 413."
    )
    max_bodies_bytes: int = Field(
        default=128 * 2**20,
        ge=1_024,
        le=2**40,
        description="Bodies of all requests that one process answers at a time, in bytes; beyond them a large one is "
        "answered 429.",
    )
    max_image_pixels: int = Field(
        default=64_000_000,
        ge=1_024,
        le=500_000_000,
        description="Largest image, width x height as its header declares.",
    )
    max_decode_bytes: int = Field(
        default=112 * 2**20,
        ge=2**20,
        le=2**34,
        description="Most memory that decoding one image may take, estimated from its header and then enforced. "
        "A photo in JPEG is decoded at a reduced size and takes little.",
    )
    max_strokes: int = Field(default=2_000, ge=1, le=100_000, description="Most strokes in one drawing.")
    max_points: int = Field(default=50_000, ge=1, le=1_000_000, description="Most points in one drawing.")
    max_batch_items: int = Field(default=32, ge=1, le=1_000, description="Most sketches in one `/v1/search:batch`.")
    max_support_bytes: int = Field(
        default=48 * 2**20,
        ge=1_024,
        le=2**30,
        description="Largest body, in bytes, of a request that fits an adapter.",
    )
    max_pairs: int = Field(
        default=64, ge=1, le=1_000, description="Most pairs of sketch and photo that an adapter is fitted to."
    )
    max_support_photos: int = Field(
        default=128, ge=1, le=10_000, description="Most photos uploaded with the examples of one adapter."
    )
    max_adapters: int = Field(
        default=32, ge=1, le=10_000, description="Most adapters kept for one category, or one profile, by one bundle."
    )
    encoder_download: Literal["shipped", "always", "never"] = Field(
        default="shipped",
        description="Whether clients may fetch the sketch encoder, to encode sketches themselves for "
        "`/v1/search:vector`: `shipped`, encoders of the bundles that come with Inkseek, which are public anyway; "
        "`always`, that of your own bundle, too; `never`. Searches by vector are answered in any case.",
    )
    feedback: bool = Field(
        default=False,
        description="Collect feedback: sketches with the photo that they were meant to find, which `POST /v1/feedback` "
        "brings. Nothing is adapted by it unless somebody does that.",
    )
    max_feedback: int = Field(
        default=64, ge=2, le=1_000, description="Most pairs of feedback kept for one category; the oldest go first."
    )
    max_online_photos: int = Field(default=10_000, ge=0, le=1_000_000, description="Most uploaded photos kept.")
    max_online_targets: int = Field(
        default=1_000, ge=1, le=1_000_000, description="Most categories and profiles that have adapters."
    )
    max_online_bytes: int = Field(
        default=4 * 2**30,
        ge=2**20,
        le=2**50,
        description="Most bytes of adapters, examples and uploaded photos kept; beyond them an adaptation is answered "
        "507.",
    )

    milvus_uri: str | None = Field(
        default=None,
        description="Where the Milvus answers that has the vectors of an index built with `--store milvus`, such as "
        "`http://localhost:19530` (needs the extra `milvus`).",
    )
    milvus_token: SecretStr = Field(
        default=SecretStr(""), description="Its API key, or `user:password`; empty: none. It is in no log."
    )
    milvus_timeout_s: float = Field(
        default=5.0,
        gt=0,
        le=600,
        description="Longest time of one call to Milvus; then 503.",
    )
    max_change_items: int = Field(default=1_000, ge=1, le=100_000, description="Most items in one `/v1/photos:batch`.")
    max_change_bytes: int = Field(
        default=64 * 2**20, ge=1_024, le=2**32, description="Largest body, in bytes, of `/v1/photos:batch`."
    )
    seal_after: int = Field(
        default=5_000,
        ge=0,
        description="Changes of photos after which they are sealed into a segment of the index in the background, "
        "where its directory can be written; 0: only on request.",
    )

    shadow_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of the searches that an approximate index answers which are repeated exactly in the "
        "background, one at a time, for the metric `inkseek_shadow_recall`; 0: none.",
    )
    index_poll_s: float = Field(
        default=1.0, gt=0, le=3600, description="Seconds between looks for a newly published index version."
    )
    canary_interval_s: float = Field(
        default=10.0,
        gt=0,
        le=3600,
        description="Seconds between canary sketches; `/readyz` is red after a wrong or late one.",
    )

    keys_file: Path | None = Field(
        default=None, description="API keys, made by `inkseek keys`; empty: `keys.json` in the online folder."
    )
    open: bool = Field(
        default=False,
        description="Serve everybody on an address that others can reach, as long as there is no API key; without it "
        "such a start fails.",
    )
    anonymous_scopes: Annotated[tuple[Access, ...], NoDecode] = Field(
        default=(),
        description="Comma-separated scopes of requests without a key, once there are keys, such as `search`; empty: "
        "none.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Comma-separated host names that the service is reached by, `*` for any; addresses and names "
        "without a dot always pass. Empty: any, once there are keys, and otherwise no others.",
    )
    rate_limit: str | None = Field(
        default=None,
        description="Requests that one key, or one address without a key, may send, such as `10/second; 2000/day`; "
        "empty: unlimited. Pictures do not count, a batch counts as its items.",
    )
    change_limit: str | None = Field(
        default=None, description="The same for requests that adapt or write, such as `20/hour`; they count as both."
    )
    rate_limit_redis: str | None = Field(
        default=None,
        description="Redis that counts, such as `redis://localhost:6379/0`, where several processes or hosts share the "
        "limits (needs the extra `redis`); empty: each process counts for itself.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1", "::1"),
        description="Comma-separated addresses and networks of proxies, whose `X-Forwarded-For`, "
        "`X-Forwarded-Proto` and `X-Forwarded-Prefix` are believed; `none` for nobody's.",
    )
    root_path: str = Field(
        default="",
        description="Path of a proxy below which the service is reached, such as `/inkseek`, whether or not the proxy "
        "takes it off; empty: what trusted proxies say in `X-Forwarded-Prefix`.",
    )
    originals_redirect_s: int = Field(
        default=0,
        ge=0,
        le=604_800,
        description="Seconds that a signed URL is good for, to which requests for originals in an object store are "
        "redirected; 0: the service reads and answers them itself, without where they were taken.",
    )
    public_photos: bool = Field(
        default=False,
        description="Let shared caches (a CDN, a proxy) keep photos: `Cache-Control: public` instead of `private`.",
    )
    read_only: bool = Field(default=False, description="Search alone: nothing is adapted or written, for any key.")

    galleries: str = Field(
        default="",
        description="Further galleries under `/v1/galleries/NAME`: a folder whose subfolders are index directories, or "
        "`NAME=DIRECTORY,NAME=DIRECTORY`. Without `INKSEEK_INDEX` the one named `default` is the default gallery.",
    )
    galleries_memory_bytes: int = Field(
        default=2**30,
        ge=0,
        description="Memory that open galleries may take in one process, estimated from the sizes of their files; for "
        "one more, those that were used least recently close. The default gallery does not count.",
    )
    galleries_idle_s: float = Field(
        default=900.0, gt=0, description="Seconds without a request after which a gallery closes."
    )
    gallery_labels: int = Field(
        default=50, ge=0, le=1_000, description="Galleries with a label of their own in metrics; the rest are `other`."
    )

    # NoDecode: pydantic-settings would expect JSON in the variable of a tuple.
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Comma-separated origins whose pages may call the API; `*` for all, empty for none."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log line."
    )
    log_format: Literal["plain", "json"] = Field(default="plain", description="Log lines for people or for machines.")
    traces: bool = Field(
        default=False,
        description="Record spans of requests and their stages, and send them by OTLP over HTTP where the standard "
        "`OTEL_*` variables say (needs the extra `otel`).",
    )
    access_log: bool = Field(default=False, description="One log line per request, with its id, status and duration.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options go before variables; there is no other source."""
        return init_settings, _OwnVariables(settings_cls)

    @model_validator(mode="before")
    @classmethod
    def _default_gallery(cls, values: dict[str, Any]) -> dict[str, Any]:
        # A wrong value is left for the field's own check.
        if not values.get("index") and isinstance(text := values.get("galleries"), str):
            with suppress(ValueError):
                folder = GalleryFolders.parse(text).default
                return values if folder is None else {**values, "index": folder}
        return values

    @field_validator("galleries", mode="before")
    @classmethod
    def _check_galleries(cls, value: object) -> object:
        text = str(value) if isinstance(value, Path) else value
        if isinstance(text, str):
            GalleryFolders.parse(text)
        return text

    @field_validator("bundle", mode="before")
    @classmethod
    def _find_bundle(cls, value: object) -> object:
        # A shipped bundle's name becomes its folder here: everything else sees only paths.
        return bundle_path(value) if isinstance(value, str) and value else value

    @field_validator("host", "cors_origins", "anonymous_scopes", "allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("rate_limit", "change_limit")
    @classmethod
    def _check_limit(cls, value: str | None) -> str | None:
        try:
            limit_items(value)
        except RateLimitInvalid as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        networks_of(value)
        return value

    @field_validator("host")
    @classmethod
    def _without_brackets(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # As in a URL: `[::1]`.
        return tuple(host[1:-1] if host.startswith("[") and host.endswith("]") else host for host in value)

    @field_validator("milvus_uri")
    @classmethod
    def _check_milvus(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                check_milvus_uri(value)
        except MilvusUriInvalid as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("root_path")
    @classmethod
    def _check_root_path(cls, value: str) -> str:
        return checked_root_path(value)

    @property
    def online_folder(self) -> Path:
        """The folder of the online store: `online_dir`, or `online` in the index directory."""
        return self.online_dir or self.index / "online"

    @property
    def key_path(self) -> Path:
        """The file of API keys: `keys_file`, or `keys.json` beside the online store."""
        return self.keys_file or self.online_folder / "keys.json"

    @property
    def gallery_folders(self) -> GalleryFolders:
        """Where the galleries beside the default one lie."""
        return GalleryFolders.parse(self.galleries)

    @property
    def milvus(self) -> MilvusServer | None:
        """Where vectors are searched of an index that has them in Milvus."""
        if self.milvus_uri is None:
            return None
        return MilvusServer(self.milvus_uri, self.milvus_token.get_secret_value(), self.milvus_timeout_s)

    @property
    def image_limits(self) -> ImageLimits:
        """Limits on one encoded image."""
        return ImageLimits(
            max_bytes=self.max_upload_bytes,
            max_pixels=self.max_image_pixels,
            max_working_bytes=self.max_decode_bytes,
        )

    @property
    def stroke_limits(self) -> StrokeLimits:
        """Limits on one drawing given as strokes."""
        return StrokeLimits(max_strokes=self.max_strokes, max_points=self.max_points)

    @property
    def runtime(self) -> Runtime:
        """One-thread sessions: several calls side by side beat one call of many threads."""
        return Runtime(device=self.device, require_gpu=self.require_gpu, threads=1)

    @property
    def processes(self) -> int:
        """Processes that serve: `workers`, which `inkseek serve` chooses before it starts any; else this one."""
        return self.workers or 1

    @property
    def worker_threads(self) -> int:
        """Sketches that one process answers side by side: one a CPU, since two take turns at its caches.

        One thread more took 1.1 times the CPU time per answer.
        """
        return self.threads or max(1, cpu_quota() // self.processes)


def load_settings(environment: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Settings from `INKSEEK_*` variables, `overrides` (not None) going before them.

    Raises UnknownSetting for an `INKSEEK_*` variable that is no setting, pydantic's ValidationError for a bad value.
    """
    # `extra="forbid"` does not see them: pydantic-settings looks up the fields' variables and no others.
    reject_unknown_variables(os.environ if environment is None else environment, Settings.model_fields)
    given = {name: value for name, value in overrides.items() if value is not None}
    return Settings(**given)  # type: ignore[arg-type]  # pydantic checks them


def settings_table() -> str:
    """The configuration table of the documentation, in Markdown."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        if field.is_required():
            default = "required"
        elif field.default in (None, ()) or isinstance(field.default, SecretStr):
            default = "empty"
        elif isinstance(field.default, tuple):
            default = f"`{','.join(field.default)}`"
        else:
            default = f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
        rows.append(f"| `{ENV_PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)
