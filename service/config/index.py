"""The index while it is served: a Milvus that has its vectors, changes of its photos, how it is watched."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr, field_validator

from index_builder.artifact import MilvusServer, MilvusUriInvalid, check_milvus_uri


class IndexSettings(BaseModel):
    """Where vectors are searched, how changes reach the index, and how it is watched."""

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

    @field_validator("milvus_uri")
    @classmethod
    def _check_milvus(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                check_milvus_uri(value)
        except MilvusUriInvalid as error:
            raise ValueError(str(error)) from error
        return value

    @property
    def milvus(self) -> MilvusServer | None:
        """Where vectors are searched of an index that has them in Milvus."""
        if self.milvus_uri is None:
            return None
        return MilvusServer(self.milvus_uri, self.milvus_token.get_secret_value(), self.milvus_timeout_s)
