"""Answer vector tiles under their OGC addresses: the same bytes as under /tiles, row before column."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response

from api.entity_tags import is_known
from api.ogc.tiles import DEEPEST, MVT
from geo.errors import NotFoundError
from geo.store.dataset import find_dataset
from geo.store.tile_windows import TileFilter, TileKey, is_tile
from geo.store.tiles import find_tile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request
    from sqlalchemy.orm import Session

_NUMBER = re.compile(r"0|[1-9]\d{0,6}", re.ASCII)
_DEEPEST_DIGITS = len(str(DEEPEST))


def place_of(matrix: str, row: str, column: str) -> tuple[int, int, int]:
    """Return zoom, column and row of a tile.

    Raises
    ------
    NotFoundError
        If the tile matrix set has no such tile.
    """
    if all(_NUMBER.fullmatch(part) for part in (matrix, row, column)) and len(matrix) <= _DEEPEST_DIGITS:
        z, x, y = int(matrix), int(column), int(row)
        if is_tile(z, x, y):
            return z, x, y
    raise NotFoundError("there is no such tile")


def answer_tiles(
    request: Request, session: Session, layers: Sequence[str], place: tuple[int, int, int]
) -> Response:
    """Return one tile with all of some layers; the ETag changes with every change of rows.

    Notes
    -----
    A vector tile is a list of layers: tiles of one layer each, one after another, are a tile of all.
    """
    dataset = find_dataset(session)
    etag = f'W/"ogc-{dataset.version if dataset else 0}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if is_known(request.headers.get("if-none-match"), etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    z, x, y = place
    body = b"".join(
        find_tile(session, TileKey(layer=layer, z=z, x=x, y=y, wanted=TileFilter())) for layer in layers
    )
    if not body:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    return Response(body, media_type=MVT, headers=headers)
