"""A shop whose customers draw what they look for; the service behind it is reached by the shop alone."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, Response, abort, jsonify, render_template, request

from inkseek_client import Client, InkseekClientError, NotFound, RequestInvalid, SketchInvalid, TryLater
from inkseek_client.schemas.search import Hit

SHOWN = 24
MAX_DRAWING_BYTES = 1_000_000


def create_shop(client: Client) -> Flask:
    """The shop, over a client whose key may search and, for picks, adapt."""
    shop = Flask(__name__)
    shop.extensions["inkseek"] = client
    shop.config["MAX_CONTENT_LENGTH"] = MAX_DRAWING_BYTES

    @shop.get("/")
    def page() -> str:
        """The canvas, and the categories to look in."""
        categories = [category.category for category in client.categories().categories]
        return render_template("shop.html", categories=categories)

    @shop.post("/search")
    def search() -> Response:
        """A drawing, for each stroke all x and all y, to products, best first."""
        asked = _asked()
        answer = client.search({"drawing": asked.get("drawing")}, SHOWN, category=asked.get("category") or ())
        return jsonify([product_of(hit) for hit in answer.results])

    @shop.get("/pictures/<path:photo_id>")
    def picture(photo_id: str) -> Response:
        """A product's picture, which browsers may keep for a day."""
        try:
            jpeg = client.thumbnail(photo_id)
        except NotFound:
            abort(404)
        return Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": "max-age=86400"})

    @shop.post("/picks")
    def pick() -> tuple[str, int]:
        """A customer has picked a product for a drawing: an example of what was meant."""
        asked = _asked()
        client.add_feedback({"drawing": asked.get("drawing")}, str(asked.get("photo_id", "")))
        return "", 204

    @shop.errorhandler(InkseekClientError)
    def not_answered(error: InkseekClientError) -> tuple[Response, int]:
        """What a customer is told; the log has the rest."""
        shop.logger.warning("the service: %s", error)
        if isinstance(error, SketchInvalid | RequestInvalid):
            return jsonify(message="This drawing cannot be searched for. Draw a little more."), 422
        if isinstance(error, TryLater):
            return jsonify(message="Many people are drawing. Try again in a moment."), 503
        return jsonify(message="The search is not available."), 502

    return shop


def product_of(hit: Hit) -> dict[str, Any]:
    """What the page shows of a photo: name and price from the gallery's metadata, else its category."""
    return {
        "photo_id": hit.photo_id,
        "name": hit.metadata.get("name") or hit.category or hit.photo_id,
        "price": hit.metadata.get("price"),
    }


def _asked() -> dict[str, Any]:
    body = request.get_json()
    if not isinstance(body, dict):
        abort(400)
    return body


def create_app() -> Flask:
    """For `flask --app examples.shop.shop`: the shop over the service that the environment names."""
    return create_shop(Client(os.environ.get("SHOP_SERVICE", "http://127.0.0.1:8000"), key=os.environ.get("SHOP_KEY")))
