"""What cannot be fitted, found or activated is rejected, and leaves nothing behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from models.adapters import Adaptation
from models.bundle import add_adaptation
from service.app import create_app
from service.config import Settings
from tests.contract.adapters.asking import BOX, adapt, rejected, searched

Drawing = Callable[[str, int], Image.Image]
Encode = Callable[..., bytes]
Parts = list[tuple[str, Any]]


def test_examples_that_cannot_be_fitted_are_rejected(
    adaptable: TestClient, drawing: Drawing, encoded: Encode, support_form: Callable[..., Parts]
) -> None:
    sketches = [("sketch", encoded(drawing("box", number))) for number in range(5)]
    ids = [("photo_id", (None, f"box/{number}.png")) for number in range(5)]
    photo = ("photo", encoded(drawing("box", 0), "JPEG"))
    same = ("sketch", encoded(drawing("box", 0), "GIF"))  # other bytes, the same drawing

    said = rejected(adaptable, 422, "unknown_photo", [*sketches[:2], ids[0], ("photo_id", (None, "box/77.png"))])
    assert "example 2" in said.detail and said.errors and said.errors[0].where == "photo_id.1"
    rejected(adaptable, 422, "photo_elsewhere", [*sketches[:2], ids[0], ("photo_id", (None, "cross/1.png"))])
    said = rejected(adaptable, 422, "pair_duplicate", [sketches[0], sketches[1], same, ids[0], ids[1], ids[0]])
    assert "examples 1 and 3" in said.detail
    rejected(adaptable, 422, "pair_contradictory", [sketches[0], same, ids[0], ids[1]])
    rejected(adaptable, 422, "support_one_photo", [*sketches[:2], ids[0], ids[0]])
    rejected(adaptable, 422, "category_too_small", [sketches[0], photo], "/v1/categories/lonely/adapters")
    rejected(adaptable, 413, "too_many_pairs", [*sketches, *ids])
    rejected(adaptable, 413, "too_many_pairs", [sketches[0], *[photo] * 5])
    for parts in ([*sketches[:2], ids[0]], [sketches[0], *ids[:2]], [ids[0]], [photo]):
        rejected(adaptable, 422, "support_mismatch", list(parts))
    blank = ("sketch", encoded(Image.new("L", (64, 64), 255)))
    assert "sketch 2" in rejected(adaptable, 422, "sketch_empty", [sketches[0], blank, *ids[:2]]).detail
    broken = ("photo", encoded(drawing("box", 1), "JPEG")[:900])
    assert "photo 2" in rejected(adaptable, 422, "image_unreadable", [*sketches[:2], ids[0], broken]).detail
    rejected(adaptable, 415, "image_unsupported", [sketches[0], ("photo", b"no picture")])
    rejected(adaptable, 422, "body_invalid", [*support_form(), ("colour", b"red")])
    rejected(adaptable, 422, "body_invalid", [("strokes", b"{broken"), ids[0]])
    rejected(adaptable, 422, "parameter_invalid", support_form(), forced="true")
    rejected(adaptable, 413, "body_too_large", [sketches[0], ("photo", bytes(300_000))])
    for name in ("%20", "a%00b", "x" * 501):
        rejected(adaptable, 422, "name_invalid", support_form(), f"/v1/categories/{name}/adapters")
    assert adaptable.post(BOX, content=b"{}").json()["code"] == "body_invalid"


def test_adapters_that_are_not_there(adaptable: TestClient, support_form: Callable[..., Parts]) -> None:
    for method, path, status, code in (
        ("GET", "/v1/categories/bxo/adapters", 404, "category_not_found"),
        ("GET", f"{BOX}/adapter-none", 404, "adapter_not_found"),
        ("DELETE", f"{BOX}/adapter-none", 404, "adapter_not_found"),
        ("POST", f"{BOX}/adapter-none:activate", 404, "adapter_not_found"),
        ("POST", f"{BOX}:rollback", 409, "nothing_to_roll_back"),
        ("GET", "/v1/profiles/nobody/adapters", 404, "profile_not_found"),
        ("POST", "/v1/profiles/nobody/adapters:rollback", 409, "nothing_to_roll_back"),
    ):
        response = adaptable.request(method, path)
        assert (response.status_code, response.json()["code"]) == (status, code), path
    adapter = adapt(adaptable, support_form())["adapter_id"]
    assert adaptable.get(f"/v1/categories/cross/adapters/{adapter}").status_code == 404
    assert adaptable.delete(f"/v1/profiles/box/adapters/{adapter}").status_code == 404
    for _ in range(2):
        adapt(adaptable, support_form())
    rejected(adaptable, 409, "adapters_limit", support_form())


def test_a_bundle_without_adaptation_says_so(
    make_settings: Callable[..., Settings], tmp_path: Path, support_form: Callable[..., Parts], cross: bytes
) -> None:
    with TestClient(create_app(make_settings(online_dir=tmp_path / "online"))) as client:
        assert client.get("/v1/info").json()["adaptation_id"] is None
        for path in (BOX, "/v1/profiles/ada/adapters"):
            rejected(client, 409, "adaptation_unavailable", support_form(), path)
        assert client.get(BOX).json() == {"adapters": [], "active": None}
        assert searched(client, cross, category="box")["adapted"] == "centred"
    assert not (tmp_path / "online").exists()


def test_only_what_gets_no_worse_is_activated(
    make_settings: Callable[..., Settings], tiny_bundle_dir: Path, tmp_path: Path, support_form: Callable[..., Parts]
) -> None:
    """An adapter of a single number cannot tell one photo from another: drawings that were found are not any more."""
    reckless = tmp_path / "reckless"
    shutil.copytree(tiny_bundle_dir, reckless)
    untrained = Adaptation.untrained(192, rate=0.0)
    one_number = {**untrained.arrays, "head": np.ones((192, 1), np.float32)}
    add_adaptation(reckless, replace(untrained, arrays=one_number))
    with TestClient(create_app(make_settings(bundle=reckless, online_dir=tmp_path / "online"))) as client:
        report = adapt(client, support_form(), dry_run="true")
        assert report["leave_one_out"]["after"]["mrr"] < report["leave_one_out"]["before"]["mrr"]
        assert (report["adapter_id"], report["version"], report["state"], report["activated"]) == (
            None,
            None,
            "idle",
            False,
        )
        assert "would not be activated" in report["reason"]
        assert client.get(BOX).json() == {"adapters": [], "active": None}

        idle = adapt(client, support_form())
        assert (idle["activated"], idle["state"]) == (False, "idle")
        assert "not active, because leave-one-out got worse" in idle["reason"]
        assert client.get(BOX).json()["active"] is None
        forced = adapt(client, support_form(), force="true")
        assert (forced["activated"], forced["version"]) == (True, 2)
        assert "forced" in forced["reason"]
        assert client.get(BOX).json()["active"] == forced["adapter_id"]
        assert client.post(f"{BOX}/{idle['adapter_id']}:activate").json()["state"] == "active"
        assert client.post(f"{BOX}:rollback").json() == {"active": forced["adapter_id"]}
        fits = [line for line in client.get("/metrics").text.splitlines() if line.startswith("inkseek_fits_total")]
        counted = [line for line in fits if not line.endswith(" 0.0")]
        assert len(counted) == 3 and all(line.endswith(" 1.0") for line in counted)
