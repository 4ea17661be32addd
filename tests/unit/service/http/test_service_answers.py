from __future__ import annotations

import io
import json
import logging
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from index_builder.artifact import PhotoNotFound, PhotoRecord
from models.bundle import BundleCorrupt, SketchEmpty
from models.errors import InkseekError
from service.cli.search.contact_sheet import Tile, contact_sheet
from service.errors import ServiceError
from service.http import problem_kinds, problems
from service.http.edge.request_scope import adopt_request_id
from service.http.json_response import json_bytes
from service.http.schemas.base import PhotoUrls
from service.http.schemas.gallery import photo_json
from service.http.schemas.problem import Problem
from service.runtime.logs import JsonFormatter, current_request_id


def typed_errors(root: type[InkseekError] = InkseekError) -> list[type[InkseekError]]:
    return [root, *(found for child in root.__subclasses__() for found in typed_errors(child))]


@given(photo_id=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1))
def test_urls_lead_back_to_the_photo(photo_id: str) -> None:
    for url in PhotoUrls().of(photo_id).values():
        parts = urlsplit("http://host" + url)
        assert not parts.query and not parts.fragment
        assert unquote(parts.path.removeprefix("/v1/photos/").rsplit("/", 1)[0]) == photo_id


def test_metadata_that_json_lacks_becomes_null_and_absent_fields_go() -> None:
    record = PhotoRecord(0, "a", "", "a.png", "0" * 64, 1, 1, {"weight": float("nan"), "none": None, "flag": False})
    assert json.loads(json_bytes(photo_json(record, PhotoUrls())))["metadata"] == {"weight": None, "flag": False}


def test_the_nearest_listed_class_decides_and_the_rest_is_internal() -> None:
    class TooPale(SketchEmpty):
        """A future, finer error."""

    assert problems.problem(TooPale("pale"))["code"] == "sketch_empty"
    assert problems.problem(PhotoNotFound("no"))["status"] == 404
    internal = problems.problem(BundleCorrupt("/secret/path is broken"))
    assert internal["status"] == 500
    assert "secret" not in json.dumps(internal)


def test_every_request_error_has_a_code_of_its_own() -> None:
    for error in typed_errors():
        Problem.model_validate(problems.problem(error.__new__(error)))
    codes = [kind.code for kind in problem_kinds.all_kinds()]
    assert len(codes) == len(set(codes))
    # Those of commands alone are known where the commands were imported, by some other test.
    leaves = [error for error in typed_errors(ServiceError) if not error.__subclasses__()]
    leaves = [error for error in leaves if not error.__module__.startswith("service.backup")]
    unlisted = {error.__name__ for error in leaves if problem_kinds.kind_of(error("x")) is problem_kinds.INTERNAL}
    # They end the start, or are for the log: not for those who ask.
    assert unlisted == {
        "UnknownSetting",
        "RebuildFailed",
        "AdaptationFailed",
        "JobCancelled",
        "AddressUnusable",
        "AddressExposed",
        "RateLimitInvalid",
        "WorkersFailed",
        "DemoNotInstalled",
        "ClientNotInstalled",
        "RemoteFailed",
        "OnlineSchemaUnsupported",
        "QuotasInvalid",
        "TracingUnavailable",
    }


def test_log_lines_for_machines() -> None:
    adopt_request_id([(b"x-request-id", b"r-1")])
    assert current_request_id() == "r-1"
    record = logging.LogRecord("inkseek.access", logging.WARNING, "", 1, "%s done", ("it",), None)
    record.status = 200
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["level"], line["request_id"], line["status"]) == ("it done", "warning", "r-1", 200)


@pytest.mark.parametrize(("tiles", "size"), [(0, (448, 258)), (3, (872, 258)), (11, (1296, 750))])
def test_contact_sheet_grows_with_its_photos(tiles: int, size: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (300, 90), "red").save(buffer, "JPEG")
    tile = Tile(buffer.getvalue(), "a/very/long/name/that/does/not/fit/into/the/cell-画像.jpg", "1.  0.900")
    sheet = contact_sheet(Image.new("L", (64, 64), 255), [tile] * tiles)
    assert sheet.size == size
    reddish = sum(1 for r, g, b in zip(*[iter(sheet.tobytes())] * 3, strict=True) if r > 200 and g < 60 and b < 60)
    assert reddish == pytest.approx(tiles * 200 * 60, rel=0.1)
