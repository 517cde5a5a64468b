"""Write rows of the current filter to files people take away, and show the page where they are chosen."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from anyio import from_thread
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from api.deps import (
    DayText,
    FilterQuery,
    Identifier,
    Sessioned,
    ValidBox,
    check_ends,
    read_box,
    refuse_repeats,
)
from api.export_choices import export_view
from api.exporting import ArchiveResponse, Progress, archive_name, export_response
from api.pages import answer_page, locale_of
from geo.errors import CancelledRunError
from geo.exports import FORMS, ExportFilter, count_export
from geo.io.export_sizes import estimated_bytes
from geo.io.export_text import TEXT_FORMS
from geo.periods import Period, read_period
from layers.export_page import render_export_page

router = APIRouter(tags=["exports"])

What = Literal["incidents", "lines", "stations", "areas", "facilities", "places", "tickets", "hotspots"]
Form = Literal["csv", "geojson", "kml", "gpkg", "fgb", "shp", "parquet", "xlsx"]

_ARCHIVE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A zip archive: the rows, what was lost in incidents (loss_items.csv), and README.txt with "
        "fields, coordinates, filter, counts and sources.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ExportQuery(FilterQuery):
    """Which rows; a part of the filter that means nothing for a kind of rows is refused."""

    bbox: ValidBox = Field(default=None, description="west,south,east,north in degrees")
    run: Identifier = Field(default=None, description="id of a finished run; for hotspots only")

    def filters(self) -> ExportFilter:
        """Return the filter of the domain."""
        return ExportFilter(
            period=self.wanted_period(),
            category=self.category,
            sector=self.sector,
            area_id=self.area,
            box=None if self.bbox is None else read_box(self.bbox),
            run_id=self.run,
        )


class ExportCount(BaseModel):
    """How many rows an export would hold."""

    rows: int = Field(description="rows the file will hold")
    withheld: int = Field(description="rows of the filter that may not be handed on")
    stored: int = Field(description="rows of this kind in the database")
    file_name: str = Field(description="name of the archive")
    estimated_bytes: dict[Form, int] = Field(description="rough size of the archive in each form")


class ExportPageQuery(ExportQuery):
    """State of the page; it takes the address of the map as well."""

    what: What = "incidents"
    form: Form = "csv"
    start: DayText = Field(default=None, description="first day; with `end` instead of `period`")
    end: DayText = Field(default=None, description="last day")
    lang: Annotated[Literal["zh", "en"] | None, BeforeValidator(lambda value: value or None)] = None
    compare: str | None = Field(default=None, max_length=10, description="of the map; means nothing here")
    layers: str | None = Field(default=None, max_length=200, description="of the map; means nothing here")
    view: str | None = Field(default=None, max_length=60, description="of the map; means nothing here")

    @model_validator(mode="after")
    def _has_both_ends(self) -> Self:
        check_ends(self.start, self.end)
        return self

    def wanted_period(self) -> Period | None:
        """Return the period asked for, in whichever way."""
        if self.start is None:
            return super().wanted_period()
        return read_period(f"{self.start}/{self.end}")

    def values(self) -> dict[str, str]:
        """Return the fields of the page's form."""
        period = self.wanted_period()
        given = {
            "start": None if period is None else period.start_on,
            "end": None if period is None else period.last_on,
            "category": self.category,
            "sector": self.sector,
            "area": self.area,
            "bbox": self.bbox,
            "run": self.run,
        }
        return {name: "" if value is None else str(value) for name, value in given.items()}


_NOTICES = {
    "zh": "地址中有看不懂的条件，请改正：%s",
    "en": "Part of the address was not understood; please correct it: %s",
}


def read_page_query(request: Request) -> tuple[ExportPageQuery, tuple[str, ...]]:
    """Return what of the address is understood, and the names of what is not: a person gets a page, not an error."""
    given: dict[str, str] = {}
    odd: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in ExportPageQuery.model_fields:
            odd.add("?")
        elif name in given:
            odd.add(name)
        else:
            given[name] = value
    # The ends of a period are judged together only once each is right by itself: hence more than one look.
    while True:
        try:
            return ExportPageQuery.model_validate(given), tuple(sorted(odd))
        except ValidationError as error:
            wrong = {str(name) for item in error.errors() for name in (item["loc"][:1] or ("start", "end"))}
            wrong |= {"start", "end"} if wrong & {"start", "end"} else set()
            odd |= wrong & given.keys()
            given = {name: value for name, value in given.items() if name not in wrong}


async def take_whole_request(request: Request) -> None:
    """Read the request to its end, so that what comes after it can only be that the client has gone."""
    await request.body()


@router.get("/exports/{what}/count", dependencies=[Depends(refuse_repeats)])
def count_rows(session: Sessioned, what: What, query: Annotated[ExportQuery, Query()]) -> ExportCount:
    """Count the rows of an export and estimate the size of its archive, without writing it."""
    filters = query.filters()
    counts, corners = count_export(session, what, filters)
    return ExportCount(
        file_name=archive_name(session, what, filters),
        rows=counts.written,
        withheld=counts.withheld,
        stored=counts.stored,
        estimated_bytes={
            form: estimated_bytes(what, form, rows=counts.written, corners=corners) for form in FORMS
        },
    )


@router.get(
    "/exports/{what}.{form}",
    status_code=HTTPStatus.OK,
    response_class=ArchiveResponse,
    responses=_ARCHIVE,
    dependencies=[Depends(refuse_repeats), Depends(take_whole_request)],
)
def download(
    request: Request,
    what: What,
    form: Annotated[Form, Path()],
    query: Annotated[ExportQuery, Query()],
) -> ArchiveResponse:
    """Return the rows of a filter as an archive; all of it shows the database at one moment."""
    return export_response(
        request.app.state.sessions,
        what,
        form=form,
        filters=query.filters(),
        progress=_unwatched if form in TEXT_FORMS else _stops_when_gone(request),
    )


def _unwatched(_done: int, _total: int) -> None:
    """Rows that go straight to the client stop by themselves when it has gone."""


def _stops_when_gone(request: Request) -> Progress:
    """Return a progress that ends the work on a file nobody waits for any more."""

    def look(_done: int, _total: int) -> None:
        if from_thread.run(request.is_disconnected):
            raise CancelledRunError("the client has gone")

    return look


@router.get(
    "/export",
    response_class=HTMLResponse,
    responses={
        422: {
            "description": "the page, with a sentence that part of the address was not understood",
            "content": {"text/html": {"schema": {"type": "string"}}},
        }
    },
    # The address is read by `read_page_query`, which forgives; what it knows is written down here.
    openapi_extra={
        "parameters": [
            {"name": name, "in": "query", "schema": schema}
            for name, schema in ExportPageQuery.model_json_schema()["properties"].items()
        ]
    },
)
def get_export_page(
    request: Request,
    session: Sessioned,
    understood: Annotated[tuple[ExportPageQuery, tuple[str, ...]], Depends(read_page_query)],
) -> HTMLResponse:
    """Return the page where rows are chosen to be taken away."""
    query, odd = understood
    locale = locale_of(request, query.lang)
    view = export_view(
        session,
        what=query.what,
        form=query.form,
        filters=query.filters(),
        values=query.values(),
        problem=_NOTICES[locale] % ", ".join(odd) if odd else "",
        locale=locale,
    )
    answer = answer_page(request, session, partial(render_export_page, view), lang=query.lang)
    if odd:
        answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    return answer
