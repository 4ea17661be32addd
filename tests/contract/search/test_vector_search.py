"""POST /v1/search:vector answers as /v1/search does; the encoder's description and its file."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image
from starlette.testclient import TestClient

from index_builder.build import BuildRequest, build_index
from models.arrays import Vectors
from models.bundle import Bundle, mirrored, read_manifest
from service.app import create_app
from service.config import Settings
from service.http.schemas.answers import SearchAnswer
from service.http.schemas.encoder import EncoderDescription

Drawing = Callable[[str, int], Image.Image]
MakeSettings = Callable[..., Settings]
PATH = "/v1/search:vector"
BYTES = {"content-type": "application/octet-stream"}


@pytest.fixture(scope="module")
def bundle(tiny_bundle_dir: Path) -> Bundle:
    return Bundle.load(tiny_bundle_dir)


@pytest.fixture(scope="module")
def both(bundle: Bundle, cross: bytes) -> Vectors:
    """(2, E): the embedding of `cross`, and that of its mirror image."""
    tensor = bundle.sketch.prepare(Image.open(io.BytesIO(cross)))
    return bundle.sketch.encode(np.stack([tensor, mirrored(tensor)]))


def lasting(answer: dict[str, Any]) -> dict[str, Any]:
    """What does not differ from one request to the next of the same sketch; a vector's cursor is its own."""
    return {key: value for key, value in answer.items() if key not in ("timings_ms", "next_cursor")}


def same(ours: dict[str, Any], theirs: dict[str, Any], within: float = 2e-6) -> None:
    """Two answers are equal but for the last digits of scores."""
    assert [hit["photo_id"] for hit in ours["results"]] == [hit["photo_id"] for hit in theirs["results"]]
    for mine, other in zip(ours["results"], theirs["results"], strict=True):
        assert mine["score"] == pytest.approx(other["score"], abs=within)
        assert {**mine, "score": 0} == {**other, "score": 0}
    assert lasting({**ours, "results": []}) == lasting({**theirs, "results": []})


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"k": 15, "exact": True},
        {"category": ["cross"], "k": 3},
        {"category": ["box", "cross"], "filter": ["artist=ada", "price>=10"]},
        {"min_score": 0.5, "adapt": False},
        {"mirror": "true", "k": 15},
        {"focus": "kind", "group_duplicates": True},
    ],
    ids=str,
)
def test_it_answers_as_a_search_by_the_sketch(
    client: TestClient, bundle: Bundle, both: Vectors, cross: bytes, query: dict[str, Any]
) -> None:
    expected = client.post("/v1/search", params=query, content=cross).json()
    vectors = {"bundle": bundle.bundle_id, "vector": both[0].tolist(), "mirrored": both[1].tolist()}
    in_query = {**query, "bundle": bundle.bundle_id, "dtype": "float32"}
    numbers = both.astype("<f4").tobytes()
    for answer in (
        client.post(PATH, json={**vectors, **query}),
        client.post(PATH, params=query, json=vectors),
        client.post(PATH, params=in_query, content=numbers, headers=BYTES),
        client.post("/v1/galleries/default/search:vector", params=in_query, content=numbers, headers=BYTES),
    ):
        assert answer.status_code == 200, answer.text
        SearchAnswer.model_validate(answer.json())
        assert set(answer.json()["timings_ms"]) == {"search", "total"}
        same(json.loads(answer.text.replace("/v1/galleries/default/", "/v1/")), expected)


def test_half_precision_finds_the_same(client: TestClient, bundle: Bundle, both: Vectors, cross: bytes) -> None:
    expected = client.post("/v1/search?k=15", content=cross).json()
    halves = both[0].astype("<f2").tobytes()
    as_bytes = client.post(PATH, params={"bundle": bundle.bundle_id, "k": 15}, content=halves, headers=BYTES)
    text = base64.b64encode(halves).decode()
    as_text = client.post(PATH, json={"bundle": bundle.bundle_id, "vector": text, "k": 15})
    same(as_bytes.json(), as_text.json(), 0)
    assert as_bytes.json()["results"][0]["photo_id"] == "cross/2.png"
    for mine in as_bytes.json()["results"]:
        (other,) = (hit for hit in expected["results"] if hit["photo_id"] == mine["photo_id"])
        assert mine["score"] == pytest.approx(other["score"], abs=2e-4)


def test_without_its_mirror_image_a_drawing_is_compared_as_it_is(
    client: TestClient, bundle: Bundle, both: Vectors, cross: bytes
) -> None:
    alone = {"bundle": bundle.bundle_id, "vector": both[0].tolist()}
    same(client.post(PATH, json=alone).json(), client.post("/v1/search?mirror=false", content=cross).json())
    needed = client.post(PATH, json={**alone, "mirror": "true"})
    assert (needed.status_code, needed.json()["code"]) == (422, "vector_invalid")
    assert "mirrored" in needed.json()["detail"]


def test_the_parameters_of_the_body_go_before_those_of_the_query(
    client: TestClient, bundle: Bundle, both: Vectors
) -> None:
    body = {"bundle": bundle.bundle_id, "vector": both[0].tolist(), "k": 3}
    found = client.post(PATH, params={"k": 7, "category": "box", "bundle": "other"}, json=body).json()["results"]
    assert [hit["category"] for hit in found] == ["box"] * 3


def test_pages_follow_each_other(client: TestClient, bundle: Bundle, both: Vectors) -> None:
    body = {"bundle": bundle.bundle_id, "vector": both[0].tolist()}
    every = client.post(PATH, json={**body, "k": 15}).json()["results"]
    found, cursor = [], None
    while True:
        page = client.post(PATH, json={**body, "k": 4, "cursor": cursor}).json()
        found += page["results"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == every
    first = client.post(PATH, json={**body, "k": 4}).json()["next_cursor"]
    other = client.post(PATH, json={"bundle": bundle.bundle_id, "vector": both[1].tolist(), "cursor": first})
    assert (other.status_code, other.json()["code"]) == (422, "cursor_invalid")


def test_a_vector_of_another_bundle_is_a_conflict_that_names_the_one_in_service(
    client: TestClient, bundle: Bundle, both: Vectors
) -> None:
    answer = client.post(PATH, json={"bundle": "other-123", "vector": both[0].tolist()})
    assert (answer.status_code, answer.json()["code"]) == (409, "encoder_differs")
    assert bundle.bundle_id in answer.json()["detail"]
    assert bundle.bundle_id in answer.json()["errors"][0]["what"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v[:-1], "191"),
        (lambda v: [*v, 0.0], "193"),
        (lambda v: [2 * x for x in v], "its length is 2"),
        (lambda v: [0.0] * len(v), "its length is 0"),
        (lambda v: [1e300, *v[1:]], "not finite"),
        (lambda v: [], "not 0"),
        (lambda v: base64.b64encode(np.full(192, np.nan, "<f2").tobytes()).decode(), "not finite"),
        (lambda v: base64.b64encode(b"odd").decode(), "3 bytes"),
    ],
)
def test_what_is_no_embedding_is_said(
    client: TestClient, bundle: Bundle, both: Vectors, change: Callable[[list[float]], Any], said: str
) -> None:
    for name in ("vector", "mirrored"):
        body = {"bundle": bundle.bundle_id, "vector": both[0].tolist(), name: change(both[0].tolist())}
        answer = client.post(PATH, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "vector_invalid"), answer.text
        assert said in answer.json()["detail"]
        assert answer.json()["detail"].startswith(name)


@pytest.mark.parametrize(
    ("body", "query", "code", "said"),
    [
        ({"vector": [1.0]}, "", "body_invalid", "'bundle' is missing"),
        ({"bundle": "b"}, "", "body_invalid", "'vector' is missing"),
        ({"bundle": "b", "vector": [1.0, "x"]}, "", "body_invalid", "vector.1"),
        ({"bundle": "b", "vector": "no base64!"}, "", "vector_invalid", "base64"),
        ({"bundle": "b", "vector": [1.0], "sketch": 1}, "", "body_invalid", "'sketch'"),
        ({"bundle": "b", "vector": [1.0], "k": "5"}, "", "body_invalid", "k: "),
        ({"bundle": "b", "vector": [1.0], "k": 0}, "", "parameter_invalid", "body.k"),
        ({"bundle": "b", "vector": [1.0]}, "frame=true", "parameter_invalid", "no such parameter"),
        (b"not JSON", "", "body_invalid", "application/octet-stream"),
        (b"", "", "body_invalid", "not JSON"),
    ],
)
def test_wrong_requests_are_said(client: TestClient, body: Any, query: str, code: str, said: str) -> None:
    sent: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
    answer = client.post(f"{PATH}?{query}", **sent)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert said in answer.json()["detail"]


def test_bytes_need_a_bundle_and_whole_numbers(client: TestClient, bundle: Bundle, both: Vectors) -> None:
    halves = both[0].astype("<f2").tobytes()
    for query, content, code in (
        ("", halves, "parameter_invalid"),
        (f"bundle={bundle.bundle_id}", halves[:-1], "vector_invalid"),
        (f"bundle={bundle.bundle_id}", b"", "vector_invalid"),
        (f"bundle={bundle.bundle_id}", halves * 3, "vector_invalid"),
        (f"bundle={bundle.bundle_id}&dtype=float64", halves, "parameter_invalid"),
    ):
        answer = client.post(f"{PATH}?{query}", content=content, headers=BYTES)
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_a_body_is_bounded_whatever_it_holds(make_settings: MakeSettings) -> None:
    with TestClient(create_app(make_settings())) as client:
        answer = client.post(PATH, content=b"[" * (2**20 + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        within = client.post(PATH, content=b'{"bundle": "b", "vector": [' + b"1," * 400_000 + b"1]}")
        assert (within.status_code, within.json()["code"]) == (409, "encoder_differs")


def test_it_is_answered_on_the_event_loop_and_in_threads_alike(
    make_settings: MakeSettings, bundle: Bundle, both: Vectors
) -> None:
    answers = []
    for threads in (1, 3):
        with TestClient(create_app(make_settings(threads=threads))) as client:
            body = {"bundle": bundle.bundle_id, "vector": both[0].tolist()}
            answers.append(client.post(PATH, json=body).json())
            assert client.post(PATH, json={**body, "vector": [0.0]}).json()["code"] == "vector_invalid"
            metrics = client.get("/metrics").text
            assert 'route="/v1/search:vector"' in metrics
    assert lasting(answers[0]) == lasting(answers[1])


def test_the_encoder_is_described(client: TestClient, bundle: Bundle, tiny_bundle_dir: Path) -> None:
    described = EncoderDescription.model_validate(client.get("/v1/encoder").json())
    data = (tiny_bundle_dir / "sketch.onnx").read_bytes()
    assert (described.bundle_id, described.embedding_dim) == (bundle.bundle_id, 192)
    assert (described.bytes, described.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert described.input.size_px == bundle.sketch.preprocess.size_px
    assert described.input.mean == list(bundle.sketch.preprocess.mean)
    assert described.url is None  # the tiny bundle does not ship with Inkseek
    refused = client.get(f"/v1/encoder/{bundle.bundle_id}.onnx")
    assert (refused.status_code, refused.json()["code"]) == (404, "encoder_withheld")


@pytest.fixture
def giving(make_settings: MakeSettings) -> Iterator[TestClient]:
    with TestClient(create_app(make_settings(encoder_download="always"))) as client:
        yield client


def test_a_client_encodes_with_the_file_that_it_fetched(
    giving: TestClient, bundle: Bundle, both: Vectors, cross: bytes
) -> None:
    described = giving.get("/v1/encoder").json()
    file = giving.get(described["url"])
    assert file.status_code == 200
    assert hashlib.sha256(file.content).hexdigest() == described["sha256"]
    assert file.headers["cache-control"] == "private, max-age=31536000, immutable"
    session = ort.InferenceSession(file.content, providers=["CPUExecutionProvider"])
    tensor = bundle.sketch.prepare(Image.open(io.BytesIO(cross)))[None]
    (encoded,) = session.run([described["output"]], {described["input"]["name"]: tensor})
    np.testing.assert_allclose(encoded[0], both[0], atol=1e-6)

    again = giving.get(described["url"], headers={"if-none-match": f"W/{file.headers['etag']}"})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == file.headers["etag"]
    other = giving.get("/v1/encoder/other-123.onnx")
    assert (other.status_code, other.json()["code"]) == (404, "encoder_withheld")
    in_gallery = giving.get("/v1/galleries/default/encoder").json()["url"]
    assert in_gallery == f"/v1/galleries/default/encoder/{bundle.bundle_id}.onnx"
    assert giving.get(in_gallery).content == file.content


@pytest.fixture(scope="module")
def small_index(gallery_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a bundle that ships with Inkseek."""
    out = tmp_path_factory.mktemp("small") / "index"
    build_index(BuildRequest(photos=gallery_dir / "box", out=out, bundle="small"))
    return out


@pytest.mark.parametrize(("download", "given"), [("shipped", True), ("never", False)])
def test_a_shipped_encoder_is_given_away_unless_the_operator_says_no(
    make_settings: MakeSettings, small_index: Path, download: str, given: bool
) -> None:
    manifest = read_manifest("small")
    path = f"/v1/encoder/{manifest.bundle_id}.onnx"
    settings = make_settings(index=small_index, bundle="small", encoder_download=download)
    with TestClient(create_app(settings)) as own:
        described = own.get("/v1/encoder").json()
        assert described["url"] == (path if given else None)
        assert described["embedding_dim"] == manifest.embedding_dim
        file = own.get(path)
        assert file.status_code == (200 if given else 404)
        if given:
            assert len(file.content) == described["bytes"]
            assert file.headers["cache-control"].startswith("public, ")
