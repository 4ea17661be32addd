"""Inputs, folders, errors and the two surfaces, without a service."""

from __future__ import annotations

import inspect
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from inkseek_client import (
    AsyncClient,
    Client,
    NotFound,
    ServiceFailed,
    ServiceProblem,
    UnexpectedAnswer,
    Unreachable,
    errors,
)
from inkseek_client.folder import batches, sketch_files
from inkseek_client.inputs import read_sketch
from inkseek_client.problems import error_of_answer
from inkseek_client.progress import progress_bar

RIM = [[45, 80], [45, 32]]


def methods(kind: type) -> dict[str, inspect.Signature]:
    found = inspect.getmembers(kind, inspect.isfunction)
    return {name: inspect.signature(one) for name, one in found if not name.startswith("_")}


def test_both_clients_have_the_same_methods_with_the_same_parameters() -> None:
    sync, asynchronous = methods(Client), methods(AsyncClient)
    assert sync.keys() - {"close"} == asynchronous.keys() - {"aclose"}
    for name in sync.keys() - {"close"}:
        assert list(sync[name].parameters.values()) == list(asynchronous[name].parameters.values()), name


def test_a_sketch_is_a_file_its_bytes_strokes_or_a_body(tmp_path: Path) -> None:
    path = tmp_path / "mug.png"
    path.write_bytes(b"picture")
    assert [read_sketch(sketch) for sketch in (path, str(path), b"picture")] == [b"picture"] * 3
    assert json.loads(read_sketch([RIM])) == {"strokes": [RIM]}
    assert json.loads(read_sketch({"drawing": [RIM]})) == {"drawing": [RIM]}
    with pytest.raises(FileNotFoundError):
        read_sketch("nowhere.png")
    with pytest.raises(ValueError, match="JSON"):
        read_sketch([[[float("nan")], [1.0]]])


def test_a_folder_has_its_sketches_by_name(tmp_path: Path) -> None:
    for name in ("b.PNG", "a/c.svg", "a/notes.txt", "d.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    assert [(str(path.relative_to(tmp_path)), size) for path, size in sketch_files(tmp_path)] == [
        ("a/c.svg", 5),
        ("b.PNG", 5),
        ("d.json", 5),
    ]
    with pytest.raises(NotADirectoryError):
        sketch_files(tmp_path / "b.PNG")


def test_batches_keep_order_number_and_bytes() -> None:
    files = [(Path(str(n)), size) for n, size in enumerate([100, 100, 5_000, 100, 100, 100])]
    cut = list(batches(files, max_items=2, max_bytes=4_000))
    assert [path for batch in cut for path in batch] == [path for path, _ in files]
    assert [len(batch) for batch in cut] == [2, 1, 2, 1]
    assert all(len(batch) == 1 or sum(dict(files)[path] for path in batch) <= 4_000 for batch in cut)
    assert list(batches([], 2, 4_000)) == []


def test_every_error_of_the_module_is_in_the_tree_at_its_head() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert len(kinds) == 16
    drawn = errors.__doc__ or ""
    assert all(kind.__name__ in drawn and issubclass(kind, errors.InkseekClientError) for kind in kinds)


def test_a_page_of_a_proxy_is_an_error_as_well() -> None:
    error = error_of_answer(404, b"<h1>nothing here</h1>")
    assert isinstance(error, NotFound)
    assert "nothing here" in str(error)
    assert type(error_of_answer(500, b"")) is ServiceFailed


def served(answer: httpx.Response | Exception) -> Client:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Client("http://inkseek.test/below/", key="secret", transport=httpx.MockTransport(handle))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"hello": "world"}),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(302, headers={"Location": "/elsewhere"}),
    ],
)
def test_an_answer_of_something_else_says_so(answer: httpx.Response) -> None:
    with served(answer) as client, pytest.raises(UnexpectedAnswer, match="/v1/info"):
        client.info()


def test_a_service_that_is_not_there_is_named_and_the_key_is_not() -> None:
    with pytest.raises(Unreachable, match=r"inkseek\.test/below") as caught:
        served(httpx.UnsupportedProtocol("no")).adapt("shoe", [])
    assert "secret" not in str(caught.value)


def job_in(state: str) -> httpx.Response:
    texts = dict.fromkeys(("stage", "created_by", "created_at", "updated_at"), "")
    counts = {"job_id": "job-1", "kind": "photos", "state": state, "detail": "disk is full", "done": 1, "failed": 0}
    return httpx.Response(200, json={**texts, **counts})


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_job_that_ended_otherwise_says_why(state: str) -> None:
    with served(job_in(state)) as client, pytest.raises(errors.JobFailed, match=f"{state}: disk is full") as caught:
        client.wait_for("job-1")
    assert caught.value.job.state == state


def test_waiting_ends_while_the_job_goes_on() -> None:
    with served(job_in("running")) as client, pytest.raises(errors.TimedOut, match="still running"):
        client.wait_for("job-1", timeout_s=0.0)


def test_key_path_gallery_and_unusual_ids_reach_the_service() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"JPEG")

    with Client("http://inkseek.test/below/", key="secret", transport=httpx.MockTransport(handle)) as client:
        shoes = client.in_gallery("my shoes")
        assert shoes.thumbnail("shoe/ä?#%.png") == b"JPEG"
        client.thumbnail("a")
    assert seen[0].headers["Authorization"] == "Bearer secret"
    path = b"/below/v1/galleries/my%20shoes/photos/shoe/%C3%A4%3F%23%25.png?view=thumbnail"
    assert seen[0].url.raw_path == path
    assert seen[1].url.raw_path == b"/below/v1/photos/a?view=thumbnail"


def test_the_bar_shows_how_much_is_done_of_how_much() -> None:
    drawn = io.StringIO()
    with progress_bar("searching", Console(file=drawn, force_terminal=True)) as progress:
        progress(3, 12)
    assert "searching" in drawn.getvalue()
    assert "3/12" in drawn.getvalue()


def test_a_problem_keeps_what_programs_need() -> None:
    document: dict[str, Any] = {"type": "t", "title": "T", "status": 422, "detail": "D", "code": "new_code"}
    document |= {"errors": [{"where": "query.k", "what": "too large"}], "request_id": "r1", "later": "field"}
    error = error_of_answer(422, json.dumps(document).encode())
    assert (error.code, error.status, error.problem.request_id) == ("new_code", 422, "r1")
    assert [(fault.where, fault.what) for fault in error.faults] == [("query.k", "too large")]
    assert isinstance(error, errors.RequestInvalid)
    assert isinstance(error, ServiceProblem)
