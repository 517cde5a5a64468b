"""Gather what the export page shows: choices, counts and the address of the download."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from api.exporting import archive_name
from geo.errors import InvalidInputError, NotFoundError
from geo.exports import KINDS, ExportFilter, applicable_filters, count_export
from geo.io.export_sizes import estimated_bytes
from geo.periods import CHINA
from geo.runs import HotspotRequest
from geo.store.areas import area_choices
from geo.store.catalogues import Category, Sector, catalogue_choices
from geo.store.dataset import find_dataset
from geo.store.exports import RowCounts
from geo.store.incident_queries import extent_of_time
from geo.store.runs import find_runs
from layers.export_page import ExportView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from geo.periods import Period
    from geo.store.runs import Run
    from layers.views import Choice, Locale

_MOST_RUNS = 100
_NOTHING = RowCounts(matching=0, withheld=0, stored=0)


def export_view(
    session: Session,
    *,
    what: str,
    form: str,
    filters: ExportFilter,
    values: Mapping[str, str],
    problem: str,
    locale: Locale,
) -> ExportView:
    """Gather the page.

    Parameters
    ----------
    session : Session
    what, form : str
        As chosen; what of `filters` does not apply to `what` is left out and named.
    filters : ExportFilter
    values : mapping of str to str
        Fields of the page's form as they were filled in.
    problem : str
        What of the address was not understood, in a sentence; "" when all was.
    locale : {"zh", "en"}
    """
    foreign = filters.given() - applicable_filters(what)
    used = _without(filters, foreign)
    counts, corners = _NOTHING, 0
    if not problem:
        try:
            counts, corners = count_export(session, what, used)
        except (InvalidInputError, NotFoundError) as error:
            problem = str(error)
    extent = extent_of_time(session)
    return ExportView(
        what=what,
        form=form,
        values=values,
        applies={kind: tuple(sorted(applicable_filters(kind))) for kind in KINDS},
        left_out=tuple(sorted(foreign)),
        categories=_catalogue(session, Category, locale),
        sectors=_catalogue(session, Sector, locale),
        areas=_areas(session, used.period),
        runs=_runs(session),
        rows=counts.written,
        stored=counts.stored,
        withheld=counts.withheld,
        estimated_bytes=estimated_bytes(what, form, rows=counts.written, corners=corners),
        address=f"/exports/{what}.{form}?{_query(used)}" if counts.written else None,
        file_name=archive_name(session, what, used),
        problem=problem,
        is_empty=extent is None and find_dataset(session) is None,
    )


def _without(filters: ExportFilter, foreign: frozenset[str]) -> ExportFilter:
    fields = {"area": "area_id", "bbox": "box", "run": "run_id"}
    return replace(filters, **{fields.get(name, name): None for name in foreign})


def _query(filters: ExportFilter) -> str:
    parts = {
        "period": filters.period,
        "category": filters.category,
        "sector": filters.sector,
        "area": filters.area_id,
        "bbox": None if filters.box is None else ",".join(map(str, filters.box)),
        "run": filters.run_id,
    }
    return urlencode({name: str(value) for name, value in parts.items() if value is not None})


def _catalogue(session: Session, table: type[Sector | Category], locale: Locale) -> tuple[Choice, ...]:
    return tuple((code, en if locale == "en" else zh) for code, zh, en in catalogue_choices(session, table))


def _areas(session: Session, period: Period | None) -> tuple[Choice, ...]:
    """Cities and counties of the first day asked for, else of the last day anything is known of."""
    extent = extent_of_time(session)
    if period is not None:
        day = period.start_on
    elif extent is not None:
        day = extent[1].date()
    else:
        return ()
    areas = area_choices(session, on=day)
    names = {area_id: name for area_id, _, name, _ in areas}
    return tuple(
        (str(area_id), name if level == "city" else f"{names.get(parent or 0, '')} {name}".strip())
        for area_id, level, name, parent in areas
    )


def _runs(session: Session) -> tuple[Choice, ...]:
    """Finished searches for hotspots, newest first: number, period, time."""
    runs = [
        run for run in find_runs(session, limit=_MOST_RUNS) if (run.kind, run.state) == ("hotspots", "done")
    ]
    return tuple((str(run.id), _run_text(run)) for run in runs)


def _run_text(run: Run) -> str:
    period = HotspotRequest.from_parameters(run.parameters).period
    return f"{run.id} · {period} · {run.created_at.astimezone(CHINA):%Y-%m-%d %H:%M}"
