"""Write rows of the current filter to files people take away, and show the page where they are chosen."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from anyio import from_thread
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from api.deps import FilterQuery, Identifier, Sessioned, ValidBox, read_box, refuse_repeats
from api.exporting import ArchiveResponse, Progress, export_response
from geo.errors import CancelledRunError
from geo.exports import FORMS, ExportFilter, count_export
from geo.io.export_sizes import estimated_bytes
from geo.io.export_text import TEXT_FORMS

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
    estimated_bytes: dict[Form, int] = Field(description="rough size of the archive in each form")


async def take_whole_request(request: Request) -> None:
    """Read the request to its end, so that what comes after it can only be that the client has gone."""
    await request.body()


@router.get("/exports/{what}/count", dependencies=[Depends(refuse_repeats)])
def count_rows(session: Sessioned, what: What, query: Annotated[ExportQuery, Query()]) -> ExportCount:
    """Count the rows of an export and estimate the size of its archive, without writing it."""
    counts, corners = count_export(session, what, query.filters())
    return ExportCount(
        rows=counts.written,
        withheld=counts.withheld,
        stored=counts.stored,
        estimated_bytes={
            form: estimated_bytes(what, form, rows=counts.written, corners=corners) for form in FORMS
        },
    )


@router.get(
    "/exports/{what}.{form}",
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
