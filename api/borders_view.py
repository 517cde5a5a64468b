"""Gather what the page of borders shows: neighbours, the run that fits, and what its zones hold."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from api.run_address import analysis_view, page_request
from api.run_notes import run_note, run_state
from geo.borders import (
    Neighbours,
    load_linked_incidents,
    load_neighbours,
    load_section_lines,
    load_zone_incidents,
    load_zone_stations,
)
from geo.runs import default_period
from geo.store.dataset import find_dataset
from geo.store.incident_queries import extent_of_time
from geo.store.runs import find_newest_run
from layers.borders_texts import credit_text, unknown_pair_text
from layers.borders_view import BorderFilters, BordersView, PairShown
from layers.views import Filters

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from geo.store.runs import Run
    from layers.views import Locale

KIND = "borders"
_KEPT = 8


class NeighbourShelf:
    """The last answers of who neighbours whom, by data version, day and level."""

    def __init__(self) -> None:
        self._found: OrderedDict[object, Neighbours] = OrderedDict()
        self._lock = Lock()

    def get(self, session: Session, version: int, *, on: date, level: str) -> Neighbours:
        """Return the neighbours of a day, loading them unless they are on the shelf."""
        key = (version, on, level)
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        found = load_neighbours(session, on=on, level=level)
        with self._lock:
            self._found[key] = found
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return found


def borders_view(
    session: Session,
    shelf: NeighbourShelf,
    filters: BorderFilters,
    *,
    locale: Locale,
    notices: tuple[str, ...] = (),
) -> BordersView:
    """Gather everything on one page of borders.

    Parameters
    ----------
    session : Session
    shelf : NeighbourShelf
    filters : BorderFilters
        As read from the address.
    locale : {"zh", "en"}
    notices : tuple of str
        What of the address was not understood.
    """
    dataset, extent = find_dataset(session), extent_of_time(session)
    if dataset is None or extent is None:
        return BordersView(filters=filters, notices=notices)
    whole = default_period(*extent)
    period = filters.period or whole
    near = shelf.get(session, dataset.version, on=period.last_on, level=filters.level)
    known = {pair.key for pair in near.pairs}
    if filters.pair is not None and filters.pair not in known:
        notices = (*notices, unknown_pair_text(locale=locale))
        filters = replace(filters, pair=None, zone=None)
    filters = replace(filters, period=period)
    asked = run_filters(filters)
    request, analysis = page_request(asked, period), analysis_view(asked, period, locale=locale)
    run = (
        None
        if request is None
        else find_newest_run(session, request.request_hash(dataset_version=dataset.version))
    )
    view = BordersView(
        filters=filters,
        whole=whole,
        areas=near.areas,
        pairs=tuple(
            PairShown(
                key=pair.key,
                area_ids=pair.area_ids,
                names=pair.names,
                cities=pair.cities,
                line=pair.line,
                lead=pair.lead,
                lead_basis=pair.lead_basis,
            )
            for pair in near.pairs
        ),
        run=run_state(run, locale=locale),
        request=analysis.request,
        conflict=analysis.conflict,
        note=run_note(run),
        notices=notices,
        credits=(credit_text(locale=locale),) if not near.areas["is_redistributable"].all() else (),
    )
    return _with_result(session, view, run)


def _with_result(session: Session, view: BordersView, run: Run | None) -> BordersView:
    """Add what a finished run found, and of a single border what its zones hold."""
    if run is None or run.state != "done" or run.result is None:
        return view
    view = replace(view, run_id=run.id, document=json.loads(run.result))
    if view.filters.pair is None or view.document is None:
        return view
    zones, border = view.zones(), view.border()
    document = view.document
    return replace(
        view,
        incidents={zone["id"]: load_zone_incidents(session, document, zone) for zone in zones},
        segments=load_section_lines(session, zones),
        stations=load_zone_stations(session, zones),
        linked_incidents=None if border is None else load_linked_incidents(session, border),
    )


def run_filters(filters: BorderFilters) -> Filters:
    """Return what the page shows as the filters of a run."""
    own: dict[str, Any] = {
        "level": filters.level,
        "pair": filters.pair if filters.scope == "pair" else None,
        "depth_m": filters.depth_m,
        "step_m": filters.step_m,
    }
    return Filters(
        period=filters.period,
        kind=KIND,
        asked=tuple((name, value) for name, value in own.items() if value is not None),
    )
