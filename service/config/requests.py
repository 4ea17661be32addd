"""Limits on what requests may bring and on what is kept of it; what clients may fetch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from models.bundle import ImageLimits, StrokeLimits


class RequestSettings(BaseModel):
    """What one request may bring, and how much of that is kept online."""

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
