"""Answer tiles before the framework does: a map asks for dozens at once, and most are kept already."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus

import psycopg
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.entity_tags import is_known
from api.problems import problem
from api.tile_cache import AbandonedError, Tile, TileShelf, open_shelf
from geo.store.tile_windows import TileFilter, TileKey, is_tile

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
_PATH = re.compile(r"/tiles/([a-z]{1,12})/(\d{1,2})/(\d{1,7})/(\d{1,7})\.mvt", re.ASCII)
_FORM = "1"
"""Raised when the same rows make other tiles, so that browsers forget theirs."""
_MOST_QUERIES = 2_000
_BUSY = "数据库暂时不可用，请稍后再试 / The database cannot be reached right now"


class TileDoor:
    """Answer a tile whose query string a route has checked before; pass on everything else.

    Parameters
    ----------
    app : ASGIApp
        The application behind; its routes in `api.routes.tiles` check parameters and tell the door.

    Notes
    -----
    Stands behind `api.guards.Guard`, so hosts are known and every answer gets its headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        key = None
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith("/tiles/"):
            key = _checked_key(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        answer = await answer_tile(Request(scope, receive), key)
        await answer(scope, receive, send)


@dataclass(slots=True)
class Tiles:
    """What one application keeps for its tiles.

    Parameters
    ----------
    shelf : TileShelf
    checked : OrderedDict
        Layer and query string that a route has checked -> the filter it means.
    """

    shelf: TileShelf
    checked: OrderedDict[tuple[str, bytes], TileFilter] = field(default_factory=OrderedDict)


def tiles_of(app: Starlette) -> Tiles:
    """Return the tiles of an application, opened at the first request for one."""
    kept: Tiles | None = getattr(app.state, "tiles", None)
    if kept is None:
        kept = app.state.tiles = Tiles(shelf=open_shelf(app.state.sessions))
    return kept


def remember_query(request: Request, layer: str, wanted: TileFilter) -> None:
    """Let the door answer this query string from now on; the oldest are forgotten."""
    checked = tiles_of(request.app).checked
    checked[layer, request.scope["query_string"]] = wanted
    while len(checked) > _MOST_QUERIES:
        checked.popitem(last=False)


def _checked_key(scope: Scope) -> TileKey | None:
    found = _PATH.fullmatch(scope["path"])
    if found is None:
        return None
    layer, *address = found.groups()
    wanted = tiles_of(scope["app"]).checked.get((layer, scope["query_string"]))
    z, x, y = map(int, address)
    if wanted is None or not is_tile(z, x, y):
        return None
    return TileKey(layer=layer, z=z, x=x, y=y, wanted=wanted)


async def answer_tile(request: Request, key: TileKey) -> Response:
    """Return the tile, that it is unchanged, or that the database cannot be asked right now.

    An unchanged tile costs no query of rows. When the client hangs up, and nobody else waits for the same
    tile, its query is cancelled.
    """
    headers = Headers(scope=request.scope)
    shelf = tiles_of(request.app).shelf
    try:
        version = shelf.known_version() or await shelf.ask_version()
        etag = f'W/"{version}-{_digest(key.wanted)}"'
        common = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
        if is_known(headers.get("if-none-match"), etag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=common)
        tile = shelf.kept(key, version) or await _read(request, shelf, key, version)
    except (psycopg.OperationalError, AbandonedError):
        return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, _BUSY, headers={"Retry-After": "2"})
    if not tile.body:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=common)
    packed = tile.as_gzip() if "gzip" in headers.get("accept-encoding", "") else None
    if packed is None:
        return Response(tile.body, media_type=MEDIA_TYPE, headers=common)
    return Response(packed, media_type=MEDIA_TYPE, headers=common | {"Content-Encoding": "gzip"})


async def _read(request: Request, shelf: TileShelf, key: TileKey, version: str) -> Tile:
    """Wait for the tile or for the client to hang up, whichever comes first."""
    with shelf.reading(key, version) as landing:
        arriving = asyncio.wrap_future(landing)
        arriving.add_done_callback(_take_note)
        # Shielded: one who leaves must not take the tile from the others.
        landed = asyncio.shield(arriving)
        leaving = asyncio.create_task(_gone(request.receive))
        leaving.add_done_callback(lambda _: landed.cancel())
        try:
            return await landed
        except asyncio.CancelledError:
            if not leaving.done():
                raise
            raise AbandonedError from None
        finally:
            leaving.cancel()


def _take_note(arriving: asyncio.Future[Tile]) -> None:
    """Let a failure be, if nobody waits for it any more; asyncio would log it as forgotten."""
    if not arriving.cancelled():
        arriving.exception()


async def _gone(receive: Receive) -> None:
    # A body is none of our business; one that is too long ends the waiting as well (`api.guards`).
    with contextlib.suppress(HTTPException):
        while (await receive())["type"] != "http.disconnect":
            pass


@lru_cache(maxsize=_MOST_QUERIES)
def _digest(wanted: TileFilter) -> str:
    return hashlib.blake2b(f"{_FORM} {wanted!r}".encode(), digest_size=6).hexdigest()
