"""Read the parameters of OGC API operations: unknown names and bad values end in 400, as the standard asks."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from api.ogc.crs import CRS84, reference_of, window_of
from api.ogc.moments import read_moments
from geo.errors import InvalidInputError
from geo.store.features import FeatureFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import QueryParams

    from api.ogc.collections import Collection, Queryable
    from api.ogc.crs import Reference

MOST_ITEMS = 10_000
USUAL_ITEMS = 1_000
ITEM_PARAMETERS = ("limit", "bbox", "bbox-crs", "crs", "datetime", "cursor")
"""What the items of every collection take, beside `f`, `lang` and the collection's own properties."""
PAGE_PARAMETERS = ("f", "lang")

_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,15})?([eE][+-]?\d{1,2})?", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_CODE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
_CURSOR = re.compile(r"([1-9]\d{0,17})-([0-9a-f]{16})", re.ASCII)
_FLAT_BOX, _DEEP_BOX = 4, 6
# Longer numbers are past the most in any case, and slow to read.
_LONGEST_LIMIT = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemQuery:
    """What a request for items asks.

    Parameters
    ----------
    wanted : FeatureFilter
    limit : int
        1 to `MOST_ITEMS`; more was lowered.
    after : int
        The page begins above this id.
    reference : Reference
        Coordinate system of the answer.
    crs : str
        Its identifier.
    asked : mapping of str to str
        Every parameter as given, for the links to this page and the next.
    """

    wanted: FeatureFilter
    limit: int
    after: int
    reference: Reference
    crs: str
    asked: Mapping[str, str]


def bad_request(detail: str) -> HTTPException:
    """Return the failure for a parameter that is unknown or cannot be right."""
    return HTTPException(HTTPStatus.BAD_REQUEST, detail)


def read_parameters(query: QueryParams, known: tuple[str, ...]) -> dict[str, str]:
    """Return the parameters of a request, each of them known and given once.

    Raises
    ------
    HTTPException
        400 otherwise.
    """
    given: dict[str, str] = {}
    for name, value in query.multi_items():
        if name not in known:
            raise bad_request("there is no such parameter here; known are " + ", ".join(known))
        if name in given:
            raise bad_request(f"the parameter {name} is given twice")
        given[name] = value
    if given.get("f", "json") not in ("json", "html"):
        raise bad_request("f is json or html")
    if given.get("lang", "zh") not in ("zh", "en"):
        raise bad_request("lang is zh or en")
    return given


def read_crs(given: Mapping[str, str], name: str) -> tuple[str, Reference]:
    """Return the coordinate system that a parameter names; CRS84 without it."""
    identifier = given.get(name, CRS84)
    try:
        return identifier, reference_of(identifier)
    except InvalidInputError as error:
        raise bad_request(f"{name}: {error}") from error


def read_items(collection: Collection, query: QueryParams) -> ItemQuery:
    """Return what a request for the items of a collection asks.

    Raises
    ------
    HTTPException
        400 for an unknown parameter or a value that cannot be right.
    """
    queryables = {queryable.name: queryable for queryable in collection.queryables}
    given = read_parameters(query, (*PAGE_PARAMETERS, *ITEM_PARAMETERS, *queryables))
    crs, reference = read_crs(given, "crs")
    try:
        start_at, end_at = read_moments(given["datetime"]) if "datetime" in given else (None, None)
        wanted = FeatureFilter(
            window=_window(given),
            start_at=start_at,
            end_at=end_at,
            equals={name: _value(queryables[name], given[name]) for name in queryables if name in given},
        )
        return ItemQuery(
            wanted=wanted,
            limit=_limit(given.get("limit")),
            after=_after(collection, given),
            reference=reference,
            crs=crs,
            asked=given,
        )
    except InvalidInputError as error:
        raise bad_request(str(error)) from error


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL_ITEMS
    if not _DIGITS.fullmatch(text) or not text.strip("0"):
        raise InvalidInputError("limit is a whole number from 1 on, in plain digits")
    digits = text.lstrip("0")
    return MOST_ITEMS if len(digits) > _LONGEST_LIMIT else min(int(digits), MOST_ITEMS)


def _window(given: Mapping[str, str]) -> Any:
    _, reference = read_crs(given, "bbox-crs")
    if "bbox" not in given:
        return None
    parts = given["bbox"].split(",")
    if len(parts) not in (_FLAT_BOX, _DEEP_BOX) or not all(_NUMBER.fullmatch(part) for part in parts):
        raise InvalidInputError("bbox is four numbers (or six, with heights) and commas between")
    numbers = [float(part) for part in parts]
    if len(parts) == _DEEP_BOX:
        if numbers[2] > numbers[5]:
            raise InvalidInputError("the lower bounds of a box must not be above its upper bounds")
        # Nothing stored has a height: every height fits.
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    return window_of((numbers[0], numbers[1], numbers[2], numbers[3]), reference)


def _value(queryable: Queryable, text: str) -> object:
    """Return the value of a property as its column knows it."""
    if queryable.kind == "boolean":
        if text not in ("true", "false"):
            raise InvalidInputError(f"{queryable.name} is true or false")
        return text == "true"
    if queryable.kind == "integer":
        if not _DIGITS.fullmatch(text) or len(text) > 18:  # noqa: PLR2004 - what a bigint surely holds
            raise InvalidInputError(f"{queryable.name} is a whole number in plain digits")
        return int(text)
    if not _CODE.fullmatch(text):
        raise InvalidInputError(f"{queryable.name} is a text of at most 200 characters")
    if queryable.choices and text not in queryable.choices:
        raise InvalidInputError(f"{queryable.name} is one of " + ", ".join(queryable.choices))
    return text


def _seal(collection: Collection, given: Mapping[str, str], last_id: int) -> str:
    """Return the check figure of a cursor: it fits one collection, one filter and one id only."""
    filters = sorted(
        (name, value) for name, value in given.items() if name not in ("cursor", "limit", "f", "lang")
    )
    return hashlib.sha256(repr((collection.id, filters, last_id)).encode()).hexdigest()[:16]


def cursor_after(collection: Collection, given: Mapping[str, str], last_id: int) -> str:
    """Return the cursor of the page that follows a page which ends with this id."""
    return f"{last_id}-{_seal(collection, given, last_id)}"


def _after(collection: Collection, given: Mapping[str, str]) -> int:
    if "cursor" not in given:
        return 0
    parts = _CURSOR.fullmatch(given["cursor"])
    if parts is None or _seal(collection, given, int(parts[1])) != parts[2]:
        raise InvalidInputError("this cursor does not belong to this request; follow the links `next`")
    return int(parts[1])
