"""Serve the map page: its whole state is its address."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from api.deps import DayText, FilterQuery, Sessioned, check_ends
from api.map_views import map_view
from api.run_address import OWN_NAMES, read_own
from api.run_bodies import KindName
from geo.periods import Period, read_period
from layers.page import (
    Filters,
    content_security_policy,
    read_layers,
    read_position,
    render_map_page,
    tiles_origin_of,
)
from layers.views import DEFAULT_KIND

router = APIRouter(tags=["map"])

_NOTICES = {
    "zh": "地址中有看不懂的条件，已忽略：%s",
    "en": "Part of the address was not understood and is left out: %s",
}


def _flag(value: object) -> object:
    return value in ("1", "on", "true")


class MapQuery(FilterQuery):
    """State of the map page."""

    start: DayText = Field(default=None, description="first day; with `end` instead of `period`")
    end: DayText = Field(default=None, description="last day")
    compare: Annotated[bool, BeforeValidator(_flag)] = Field(
        default=False, description="1: the same period a year before beside it"
    )
    lang: Annotated[Literal["zh", "en"] | None, BeforeValidator(lambda value: value or None)] = None
    layers: str | None = Field(default=None, max_length=200, description="visible layers, with commas")
    view: str | None = Field(default=None, max_length=60, description="latitude,longitude,zoom")
    kind: KindName = Field(
        default=DEFAULT_KIND, description="analysis; its parameters go by their names in GET /runs/kinds"
    )

    @model_validator(mode="after")
    def _has_both_ends(self) -> Self:
        check_ends(self.start, self.end)
        return self

    def wanted_period(self) -> Period | None:
        """Return the period asked for, in whichever way."""
        return super().wanted_period() if self.start is None else read_period(f"{self.start}/{self.end}")

    def filters(self, own: dict[str, Any]) -> Filters:
        """Return the same as the page knows it, with the parameters of the analysis."""
        return Filters(
            period=self.wanted_period(),
            category=self.category,
            sector=self.sector,
            area_id=self.area,
            compare=self.compare,
            layers=read_layers(self.layers),
            view=read_position(self.view),
            kind=self.kind,
            asked=tuple(own.items()),
        )


def read_query(request: Request) -> tuple[MapQuery, dict[str, Any], tuple[str, ...]]:
    """Return what of the address is understood, the parameters of its analysis, and the names of what is not.

    A person who follows an old link gets the map and a notice rather than a machine's error.
    """
    given: dict[str, str] = {}
    own: dict[str, str] = {}
    odd: set[str] = set()
    for name, value in request.query_params.multi_items():
        is_own = name in OWN_NAMES
        if name in given or name in own or not (is_own or name in MapQuery.model_fields):
            odd.add(name if is_own or name in MapQuery.model_fields else "?")
            continue
        (own if is_own else given)[name] = value
    # The ends of a period are judged together only once each part is right by itself: hence more than one look.
    while True:
        try:
            query = MapQuery.model_validate(given)
            values, unread = read_own(query.kind, own)
            return query, values, tuple(sorted(odd.union(unread)))
        except ValidationError as error:
            wrong = {str(name) for item in error.errors() for name in (item["loc"][:1] or ("start", "end"))}
            wrong |= {"start", "end"} if wrong & {"start", "end"} else set()
            odd |= wrong & given.keys()
            given = {name: value for name, value in given.items() if name not in wrong}


Understood = Annotated[tuple[MapQuery, dict[str, Any], tuple[str, ...]], Depends(read_query)]


@router.get(
    "/",
    response_class=HTMLResponse,
    responses={
        422: {
            "description": "the page, with a notice that part of the address was not understood",
            "content": {"text/html": {"schema": {"type": "string"}}},
        }
    },
    # The address is read by `read_query`, which forgives; what it knows is written down here.
    openapi_extra={
        "parameters": [
            {"name": name, "in": "query", "schema": schema}
            for name, schema in MapQuery.model_json_schema()["properties"].items()
        ]
    },
)
def get_map_page(request: Request, session: Sessioned, understood: Understood) -> HTMLResponse:
    """Return the map page; what its address asks for and cannot be is named and left out."""
    query, own, odd = understood
    settings = request.app.state.settings
    locale = query.lang or settings.locale
    nonce = secrets.token_urlsafe(18)
    view = map_view(
        session,
        request.app.state.shelf,
        settings,
        query.filters(own),
        wanted=query.wanted(session),
        locale=locale,
        nonce=nonce,
        demo=request.app.state.demo,
        notice=_NOTICES[locale] % ", ".join(odd) if odd else "",
    )
    return HTMLResponse(
        render_map_page(view),
        status_code=HTTPStatus.UNPROCESSABLE_ENTITY if odd else HTTPStatus.OK,
        headers={"Content-Security-Policy": content_security_policy(nonce, tiles_origin_of(view.tiles))},
    )
