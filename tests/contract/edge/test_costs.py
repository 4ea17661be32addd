"""What a body can cost: processor time and memory of the service, whatever JSON or form is sent."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.contract.waiting import until

MIB = 2**20

# Clients in a process of their own: port, how many, and for how many seconds. The request comes on standard input.
LOOPING = """
import asyncio, sys
port, clients, seconds = map(int, sys.argv[1:])
request = sys.stdin.buffer.read()

async def loop():
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        writer.write(request)
        head = await reader.readuntil(b"\\r\\n\\r\\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\\r\\n")[0])
        await reader.readexactly(length)

async def main():
    await asyncio.wait([asyncio.ensure_future(loop()) for _ in range(clients)], timeout=seconds)

asyncio.run(main())
"""


def of_size(start: bytes, unit: bytes, end: bytes, size: int) -> bytes:
    return start + unit * ((size - len(start) - len(end)) // len(unit)) + end


HOSTILE = {
    "numbers for strokes": (b'{"strokes":[', b"1,", b"1]}"),
    "numbers for points": (b'{"points":[', b"1,", b"1]}"),
    "empty strokes": (b'{"strokes":[', b"[],", b"[]]}"),
    "empty points": (b'{"points":[', b"{},", b"{}]}"),
    "one wrong row": (b'{"strokes":[[[', b"1,", b'"a"]]]}'),
    "floats": (b'{"strokes":[[[', b"1.5,", b"1],[1]]]}"),
    "nested lists": (b'{"strokes":', b"[", b""),
    "nested objects": (b"", b'{"points":', b""),
    "a huge number": (b'{"points":[{"x":', b"9", b',"y":1}]}'),
    "a long fraction": (b'{"points":[{"x":0.', b"9", b',"y":1}]}'),
    "the same key again and again": (b"{", b'"strokes":[[[1],[2]]],', b'"strokes":[[[1],[2]]]}'),
    "a long string": (b'{"image_base64":"', b"A", b'"}'),
    "a string that is wide in memory": (b'{"image_base64":"\xf0\x9f\x98\x80', b"A", b'"}'),
    "escapes": (b'{"image_base64":"', b"\\u0041", b'"}'),
    "an unknown key": (b'{"', b"k", b'":1}'),
    "white space": (b"{", b" ", b'"points":[{"x":1,"y":1}]}'),
    "batch numbers": (b'{"items":[', b"1,", b"1]}"),
    "batch drawings": (b'{"items":[', b'{"strokes":[1,1,1]},', b"1]}"),
}


@pytest.fixture(scope="module")
def warm(serve: Any, cross: bytes) -> Iterator[Any]:
    with serve(INKSEEK_THREADS="2") as served:
        with served.client() as client:
            for _ in range(30):
                assert client.post("/v1/search", content=cross).status_code == 200
            # The first large body makes the heap grow once.
            client.post("/v1/search", content=b"{" + b" " * 9 * MIB)
        yield served
        served.expect_alive()


@pytest.mark.parametrize("size", [MIB, 9 * MIB])
@pytest.mark.parametrize("name", HOSTILE)
def test_json_costs_little_whatever_it_holds(warm: Any, name: str, size: int, cross: bytes) -> None:
    body = of_size(*HOSTILE[name], size)
    path = "/v1/search:batch" if name.startswith("batch") else "/v1/search"
    warm.forget_peak()
    memory, spent = warm.memory_mib(), warm.cpu_s()
    with warm.client() as client:
        answer = client.post(path, content=body)
        assert answer.status_code in (200, 413, 422), answer.text
        assert warm.cpu_s() - spent <= 0.3
        assert warm.memory_mib("VmHWM") - memory <= 64
        assert client.post("/v1/search", content=cross).json()["results"][0]["photo_id"] == "cross/2.png"


def test_bodies_that_stop_keep_nobody_out(warm: Any, cross: bytes, raw_post: Any, answer_of: Any) -> None:
    """100 bodies of 9.9 MiB that fall silent: bounded memory, 429 or 408, and drawings are answered throughout."""
    whole = raw_post("/v1/search", bytes(int(9.9 * MIB)))
    warm.forget_peak()
    before = warm.memory_mib()
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(warm.connect()) for _ in range(100)]

        def send(connection: Any) -> None:
            with contextlib.suppress(OSError):
                connection.sendall(whole[:-1000])

        senders = [threading.Thread(target=send, args=(connection,)) for connection in connections]
        for sender in senders:
            sender.start()
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            assert httpx.post(warm.url + "/v1/search", content=cross, timeout=10).status_code == 200
        for sender in senders:
            sender.join()
        codes = []
        for connection in connections:
            # What the machine is slow to send after the answer resets the connection, and the answer may be lost.
            with contextlib.suppress(ConnectionError):
                codes += [json.loads(body)["code"] for _, body in (answer_of(connection),) if body]
    assert set(codes) == {"bodies_too_large", "body_timeout"}, codes
    assert warm.memory_mib("VmHWM") - before < 350  # 170 to 177; 770 without the budget


def test_livez_answers_under_300_clients_that_never_pause(
    warm: Any, cross: bytes, raw_post: Any, answer_of: Any
) -> None:
    command = [sys.executable, "-c", LOOPING, str(warm.port), "300", "8"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as clients, warm.connect() as probe:
        assert clients.stdin is not None
        clients.stdin.write(raw_post("/v1/search", cross))
        clients.stdin.close()
        time.sleep(1)
        took = []
        for _ in range(30):
            began, unscheduled = time.monotonic(), warm.unscheduled_s()
            probe.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert answer_of(probe)[0] == 200
            took.append(time.monotonic() - began - (warm.unscheduled_s() - unscheduled))
            time.sleep(0.02)
        clients.kill()
    # 9.2 s were measured before. What the machine gives to others is not counted, since clients and tests share it. The
    # loop also waits for threads that hold the interpreter and have no processor: 0.44 s beside thirty other processes.
    assert statistics.median(took) < 0.5, sorted(took)
    assert max(took) < 3, sorted(took)


def test_a_client_that_hangs_up_leaves_no_traceback(warm: Any, raw_post: Any, cross: bytes) -> None:
    for sent in (raw_post("/v1/search", cross)[:-10], raw_post("/v1/search", cross)):
        with warm.connect(sent):
            time.sleep(0.05)
    with warm.client() as client:
        until(lambda: 'status="499"' in client.get("/metrics").text)
    assert "Traceback" not in "".join(warm.log)
