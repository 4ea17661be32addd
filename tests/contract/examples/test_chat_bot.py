"""The bot against a Slack that is faked over HTTP, and a real service."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from examples.chat_bot.bot import Slack, create_bot
from inkseek_client import Client

SECRET, TOKEN = "8f742231b10e8888abcd99yyyzzz85a5", "xoxb-1"


@dataclass
class FakeSlack:
    """Files by path, and what was posted; answers as Slack's Web API does."""

    files: dict[str, bytes] = field(default_factory=dict)
    posted: list[dict[str, Any]] = field(default_factory=list)
    rejects: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return httpx.Response(200, json={"ok": False, "error": "invalid_auth"})
        if request.url.path == "/api/chat.postMessage":
            self.posted.append(json.loads(request.content))
            return httpx.Response(200, json={"ok": False, "error": "no"} if self.rejects else {"ok": True})
        content = self.files.get(request.url.path)
        return httpx.Response(404) if content is None else httpx.Response(200, content=content)


@dataclass
class Chat:
    """What a workspace does: it tells the bot of events, and waits until the bot has done its work."""

    slack: FakeSlack
    bot: FlaskClient
    pool: ThreadPoolExecutor

    def tell(
        self,
        body: dict[str, Any],
        secret: str = SECRET,
        at: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        raw, stamp = json.dumps(body).encode(), str(int(time.time() if at is None else at))
        digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}", **(headers or {})}
        answer = self.bot.post("/events", data=raw, content_type="application/json", headers=signed)
        self.pool.submit(int).result()  # one thread works in order: behind this, everything is done
        return answer

    def upload(
        self, *paths: str, host: str = "https://files.slack.com", headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        files = [{"url_private_download": host + path, "size": 2000} for path in paths]
        event = {"type": "message", "subtype": "file_share", "channel": "C1", "ts": "17.5", "files": files}
        return self.tell({"type": "event_callback", "event": event}, headers=headers)


@pytest.fixture
def chat(client: Client, sketches: Path) -> Iterator[Chat]:
    fake = FakeSlack({f"/{path.stem}-{path.parent.name}.png": path.read_bytes() for path in sketches.rglob("*.png")})
    with ThreadPoolExecutor(1) as pool, httpx.Client(transport=httpx.MockTransport(fake)) as http:
        bot = create_bot(Slack(SECRET, TOKEN, http=http), client, "https://photos.example.org", pool)
        yield Chat(fake, bot.test_client(), pool)


def test_a_drawing_is_answered_in_its_thread(chat: Chat) -> None:
    assert chat.upload("/2-box.png").json == {"ok": True}
    [message] = chat.slack.posted
    assert (message["channel"], message["thread_ts"]) == ("C1", "17.5")
    pictures = [block for block in message["blocks"] if block["type"] == "image"]
    assert len(pictures) == 5
    assert pictures[0]["image_url"] == "https://photos.example.org/v1/photos/box/2.png/thumbnail"
    assert pictures[0]["alt_text"] == "1. box/2.png"
    assert "box/2.png" in message["text"]


def test_several_drawings_have_an_answer_each(chat: Chat) -> None:
    chat.upload("/2-box.png", "/1-cross.png")
    assert [message["blocks"][1]["alt_text"] for message in chat.slack.posted] == ["1. box/2.png", "1. cross/1.png"]


def test_what_is_no_drawing_is_said(chat: Chat) -> None:
    chat.upload("/broken-sketches.png")
    [message] = chat.slack.posted
    assert message["text"].startswith("I cannot search for this drawing")
    assert "blocks" not in message


def test_a_challenge_is_returned(chat: Chat) -> None:
    assert chat.tell({"type": "url_verification", "challenge": "abc"}).json == {"challenge": "abc"}


@pytest.mark.parametrize("wrong", [{"secret": "other"}, {"at": time.time() - 3600}])
def test_what_slack_has_not_signed_is_denied(chat: Chat, wrong: dict[str, Any]) -> None:
    assert chat.tell({"type": "url_verification", "challenge": "abc"}, **wrong).status_code == 401
    assert chat.bot.post("/events", json={"type": "url_verification", "challenge": "abc"}).status_code == 401


def test_an_event_sent_again_and_a_bots_own_message_are_not_answered(chat: Chat) -> None:
    chat.upload("/2-box.png", headers={"X-Slack-Retry-Num": "1"})
    chat.tell({"type": "event_callback", "event": {"type": "message", "bot_id": "B1", "files": [{"size": 1}]}})
    assert chat.slack.posted == []


def test_the_token_goes_to_slack_alone(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    chat.upload("/2-box.png", host="https://files.slack.com.example.org")
    assert chat.slack.posted == []
    assert "no file of Slack" in caplog.text


@pytest.mark.parametrize("break_it", [lambda slack: slack.files.clear(), lambda slack: setattr(slack, "rejects", True)])
def test_what_fails_is_logged_and_the_bot_goes_on(
    chat: Chat, break_it: Callable[[FakeSlack], None], caplog: pytest.LogCaptureFixture
) -> None:
    files = dict(chat.slack.files)
    break_it(chat.slack)
    assert chat.upload("/2-box.png").status_code == 200
    assert "a drawing has no answer" in caplog.text
    chat.slack.files, chat.slack.rejects = files, False
    chat.slack.posted.clear()
    chat.upload("/2-box.png")
    assert len(chat.slack.posted) == 1
