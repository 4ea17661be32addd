"""`inkseek keys`: the API keys of a service. One that runs on the same folder sees each change within a second."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, get_args

import typer
from rich.markup import escape
from rich.table import Column, Table

from models.console import fail, print_json, stderr, stdout
from models.errors import InkseekError
from service.access.errors import RateLimitInvalid
from service.access.key_file import add_key, read_keys, revoke_key
from service.access.keys import ApiKey, make_key
from service.access.principal import Access
from service.access.rate_limits import limit_items
from service.cli.options import AsJson, IndexDir, OnlineDir, settings_of

app = typer.Typer(no_args_is_help=True)

_SCOPES: tuple[Access, ...] = get_args(Access)
_SPAN = re.compile(r"(\d{1,6})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}


def _scope(text: str) -> Access:
    for scope in _SCOPES:
        if text == scope:
            return scope
    raise typer.BadParameter(f"{text!r} is none of {', '.join(_SCOPES)}")


def _moment(text: str) -> datetime:
    """A span from now, such as 12h, 90d, 4w, or a day or time as ISO 8601 writes it, UTC unless it says otherwise."""
    now = datetime.now(UTC)
    if span := _SPAN.fullmatch(text):
        return now + timedelta(hours=int(span[1]) * _HOURS[span[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time: 12h, 90d, 4w, or 2027-01-31") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise typer.BadParameter(f"{text} is over")
    return moment


def _limit(text: str) -> str:
    try:
        limit_items(text)
    except RateLimitInvalid as error:
        raise typer.BadParameter(str(error)) from error
    return text


@app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Whom the key is for; shown in lists and logs.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="search, adapt (adapters), write (photos) or admin (metrics); again for each. [search]"),
    ] = None,
    expires: Annotated[
        datetime | None,
        typer.Option(parser=_moment, metavar="WHEN", help="12h, 90d, 4w, or a time such as 2027-01-31; else never."),
    ] = None,
    gallery: Annotated[
        list[str] | None, typer.Option(help="The only gallery that the key is for; again for each. All when not given.")
    ] = None,
    rate_limit: Annotated[
        str | None,
        typer.Option(
            parser=_limit, metavar="LIMIT", help="Requests, such as '10/second; 2000/day'; else the service's."
        ),
    ] = None,
    change_limit: Annotated[
        str | None,
        typer.Option(parser=_limit, metavar="LIMIT", help="Requests that adapt or write; else the service's."),
    ] = None,
    index: IndexDir = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key and print it, for the only time: the service keeps its SHA-256."""
    settings = settings_of(as_json, index=index, online_dir=online_dir)
    scopes = tuple(dict.fromkeys(_scope(text) for text in scope or ["search"]))
    made = make_key(
        name,
        scopes,
        expires_at=expires,
        galleries=tuple(gallery or ()),
        rate_limit=rate_limit,
        change_limit=change_limit,
    )
    try:
        add_key(settings.key_path, made.key)
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({**_key_json(made.key), "key": made.token})
        return
    # The key alone on stdout, and unwrapped: KEY=$(inkseek keys create ada).
    sys.stdout.write(f"{made.token}\n")
    until = f"until {made.key.expires_at:%Y-%m-%d %H:%M} UTC" if made.key.expires_at else "for good"
    _say(f"{escape(name)} may {', '.join(scopes)} with it {until}. It is shown this once; its id is {made.key.key_id}.")


@app.command("list")
def list_keys(index: IndexDir = None, online_dir: OnlineDir = None, as_json: AsJson = False) -> None:
    """Show the keys, without what makes them keys: whom they are for, their scopes, whether they are good."""
    settings = settings_of(as_json, index=index, online_dir=online_dir)
    try:
        keys = read_keys(settings.key_path)
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json({"keys": [_key_json(key) for key in keys]})
    else:
        stdout().print(_key_table(keys))


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="A key's id, as `list` shows it.")],
    index: IndexDir = None,
    online_dir: OnlineDir = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key for good: requests with it are denied within a second."""
    settings = settings_of(as_json, index=index, online_dir=online_dir)
    try:
        key = revoke_key(settings.key_path, key_id)
    except InkseekError as error:
        fail(error, as_json=as_json)
    if as_json:
        print_json(_key_json(key))
    else:
        _say(f"{escape(key.name)}: {key.key_id} is revoked")


def _key_json(key: ApiKey) -> dict[str, Any]:
    return {**key.model_dump(mode="json", exclude={"sha256"}), "state": key.state(datetime.now(UTC))}


def _key_table(keys: tuple[ApiKey, ...]) -> Table:
    table = Table("for", Column("key", no_wrap=True), "state", "scopes", "galleries", "made", "expires")
    now = datetime.now(UTC)
    for key in keys:
        table.add_row(
            escape(key.name),
            key.key_id,
            key.state(now),
            ", ".join(key.scopes),
            escape(", ".join(key.galleries)) or "all",
            f"{key.created_at:%Y-%m-%d}",
            f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "never",
        )
    return table


def _say(text: str) -> None:
    stderr().print(text, highlight=False, soft_wrap=True)
