"""A bot that answers uploaded drawings with photos, over Slack's Events API and Web API."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import time
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from flask import Flask, Response, abort, jsonify, request
from werkzeug.datastructures import Headers

from inkseek_client import Client, InkseekClientError
from inkseek_client.schemas.search import SearchAnswer

MAX_AGE_S = 300.0
"""Of a signed request; an older one may be a copy."""
MAX_FILE_BYTES = 10_000_000
SHOWN = 5
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Slack:
    """What the bot knows of Slack: its secrets, and where it is."""

    signing_secret: str
    token: str
    api: str = "https://slack.com/api"
    file_hosts: frozenset[str] = frozenset({"files.slack.com"})
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20.0))

    def signed(self, headers: Headers, body: bytes, now_s: float) -> bool:
        """Whether a request comes from Slack: https://api.slack.com/authentication/verifying-requests-from-slack."""
        sent = headers.get("X-Slack-Request-Timestamp", "")
        if not sent.isdigit() or abs(now_s - int(sent)) > MAX_AGE_S:
            return False
        digest = hmac.new(self.signing_secret.encode(), b"v0:" + sent.encode() + b":" + body, hashlib.sha256)
        return hmac.compare_digest(f"v0={digest.hexdigest()}", headers.get("X-Slack-Signature", ""))

    def download(self, url: str) -> bytes:
        """A file's bytes. Raises ValueError for another host, httpx.HTTPError."""
        if urlsplit(url).netloc not in self.file_hosts:
            raise ValueError(f"no file of Slack: {url}")
        answer = self.http.get(url, headers={"Authorization": f"Bearer {self.token}"})
        return answer.raise_for_status().content

    def post(self, message: Mapping[str, Any]) -> None:
        """Post a message. Raises httpx.HTTPError, ValueError where Slack rejects it."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.http.post(f"{self.api}/chat.postMessage", json=message, headers=headers).raise_for_status().json()
        if not answer["ok"]:
            raise ValueError(f"Slack rejects the message: {answer['error']}")


def create_bot(slack: Slack, client: Client, photos_url: str, workers: Executor | None = None) -> Flask:
    """The bot; readers of the chat reach thumbnails at `photos_url`, and `workers` search when Slack has its answer."""
    bot = Flask(__name__)
    bot.config["MAX_CONTENT_LENGTH"] = 1_000_000
    pool = workers or ThreadPoolExecutor(4)

    @bot.post("/events")
    def events() -> Response:
        """Whatever Slack tells."""
        if not slack.signed(request.headers, request.get_data(), time.time()):
            abort(401)
        told = request.get_json()
        if told["type"] == "url_verification":
            return jsonify(challenge=told["challenge"])
        event = told.get("event", {})
        if "X-Slack-Retry-Num" not in request.headers and "bot_id" not in event:
            for file in event.get("files", []):
                if file.get("size", 0) <= MAX_FILE_BYTES:
                    pool.submit(_answer, slack, client, photos_url, event, file["url_private_download"])
        return jsonify(ok=True)

    return bot


def _answer(slack: Slack, client: Client, photos_url: str, event: Mapping[str, Any], file_url: str) -> None:
    try:
        try:
            message = message_of(client.search(slack.download(file_url), SHOWN), photos_url)
        except InkseekClientError as error:
            message = {"text": f"I cannot search for this drawing: {error}"}
        slack.post({"channel": event["channel"], "thread_ts": event["ts"], **message})
    except (httpx.HTTPError, ValueError):
        log.exception("a drawing has no answer")


def message_of(answer: SearchAnswer, photos_url: str) -> dict[str, Any]:
    """A message with a picture for each photo found; its text is for those who see no pictures."""
    if not answer.results:
        return {"text": "There is no photo to compare it with."}
    text = "Nothing looks much like it. The nearest:" if answer.no_good_match else "This is what it looks like:"
    blocks: list[dict[str, Any]] = [{"type": "section", "text": {"type": "plain_text", "text": text}}]
    for hit in answer.results:
        caption = f"{hit.rank}. {hit.photo_id}"
        picture = {"type": "image", "image_url": photos_url + hit.thumbnail_url, "alt_text": caption}
        blocks.append({**picture, "title": {"type": "plain_text", "text": caption}})
    return {"text": f"{text} {', '.join(hit.photo_id for hit in answer.results)}", "blocks": blocks}


def create_app() -> Flask:
    """For `flask --app examples.chat_bot.bot`: the bot that the environment describes."""
    slack = Slack(os.environ["SLACK_SIGNING_SECRET"], os.environ["SLACK_BOT_TOKEN"])
    client = Client(os.environ.get("SEARCH_URL", "http://127.0.0.1:8000"), key=os.environ.get("SEARCH_KEY"))
    return create_bot(slack, client, os.environ["PHOTOS_URL"].rstrip("/"))
