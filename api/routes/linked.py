"""Show incidents of two neighbouring areas that may belong together, and draw them across the border."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator, Field

from api.deps import Sessioned, ValidPeriod, refuse_repeats
from api.geojson import DOCUMENTED, GeoJSONResponse, features_bytes
from api.linked_view import choices_of, linked_shelf, linked_view, outlines_of, whole_period
from api.pages import LanguageQuery, answer_page, locale_of
from geo.errors import InvalidInputError
from geo.periods import read_period
from layers.linked import linked_features, render_linked_page

router = APIRouter(tags=["linked"], dependencies=[Depends(refuse_repeats)])

AreaCode = Annotated[
    Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None, BeforeValidator(lambda value: value or None)
]


class LinkedQuery(LanguageQuery):
    """Which two areas and which days."""

    first: AreaCode = Field(default=None, description="code of a city or county")
    second: AreaCode = Field(default=None, description="code of its neighbour, of the same level")
    period: ValidPeriod = Field(
        default=None, description="2008-03, 2008-03-15 or 2008-01/2008-06; all days of the data when omitted"
    )


@router.get(
    "/linked",
    response_class=HTMLResponse,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
def get_linked_page(
    request: Request, session: Sessioned, query: Annotated[LinkedQuery, Query()]
) -> HTMLResponse:
    """Return the page of linked incidents: chains with the reasons of each link, chance beside them, alternatives."""
    locale = locale_of(request, query.lang)
    period = whole_period(session) if query.period is None else read_period(query.period)
    view = None
    if query.first is not None and query.second is not None and period is not None:
        view = linked_view(linked_shelf(request.app).get(session, period, (query.first, query.second)))
    asked = query.model_dump(exclude_none=True)
    form = {
        "choices": choices_of(session, period),
        "first": query.first or "",
        "second": query.second or "",
        "period": query.period or "",
        "geojson": f"/linked.geojson?{urlencode(asked)}",
    }
    outlines = {} if view is None else outlines_of(session, period, locale=locale)
    render = partial(render_linked_page, view, form=form, outlines=outlines)
    return answer_page(request, session, render, lang=query.lang)


@router.get("/linked.geojson", response_class=GeoJSONResponse, responses=DOCUMENTED)
def list_linked(request: Request, session: Sessioned, query: Annotated[LinkedQuery, Query()]) -> Response:
    """Return incidents, links and alternatives of two neighbouring areas; `kind` tells which is which."""
    if query.first is None or query.second is None:
        raise InvalidInputError("name two areas: first and second", code="too_few_areas")
    period = whole_period(session) if query.period is None else read_period(query.period)
    if period is None:
        return GeoJSONResponse(features_bytes([], {}))
    linked = linked_shelf(request.app).get(session, period, (query.first, query.second))
    features = linked_features(linked_view(linked), locale=locale_of(request, query.lang))
    return GeoJSONResponse(features_bytes(features, {}))
