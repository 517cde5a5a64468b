"""Gather what the page and the API tell of the two books; matched once per version of the data."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

import pandas as pd

from geo.reconciliation import load_books, narrow_books
from geo.store.areas import area_choices, find_areas, with_descendants
from geo.store.dataset import find_dataset
from geo.store.tickets import ticket_count
from layers.reconciliation_page import LISTED, ReconciliationView

if TYPE_CHECKING:
    from datetime import date

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.periods import Period
    from geo.reconciliation import Books, Reconciled

_KEPT = 16
_GROUND_LEVELS = ("province", "city", "county")


class BookShelf:
    """The books of the newest data version, and the last answers narrowed from them."""

    def __init__(self) -> None:
        self._version = -1
        self._books: Books | None = None
        self._answers: OrderedDict[object, Reconciled] = OrderedDict()
        self._lock = Lock()

    def get(self, session: Session, *, period: Period | None, area_id: int | None) -> Reconciled:
        """Return the books of a period and area, matching them anew only after a change of rows.

        Whoever asks meanwhile waits for the same answer instead of computing it twice.
        """
        dataset = find_dataset(session)
        version = 0 if dataset is None else dataset.version
        with self._lock:
            if self._books is None or version != self._version:
                self._books = load_books(session)
                self._version = version
                self._answers.clear()
            key = (period, area_id)
            if key not in self._answers:
                inside = None if area_id is None else with_descendants(session, area_id)
                self._answers[key] = narrow_books(self._books, period=period, area_ids=inside)
                while len(self._answers) > _KEPT:
                    self._answers.popitem(last=False)
            self._answers.move_to_end(key)
            return self._answers[key]


def reconciliation_view(
    session: Session,
    shelf: BookShelf,
    *,
    period: Period | None,
    area_id: int | None,
    after_incident: int = 0,
    after_ticket: int = 0,
) -> ReconciliationView:
    """Gather everything on the page.

    Parameters
    ----------
    session : Session
    shelf : BookShelf
    period : Period, optional
    area_id : int, optional
        With everything inside it.
    after_incident, after_ticket : int
        Ids after which the lists begin.
    """
    if ticket_count(session) == 0:
        return ReconciliationView(has_tickets=False)
    found = shelf.get(session, period=period, area_id=area_id)
    matches = named_matches(found)
    doubtful = matches[~matches["is_clear"]].sort_values(["margin", "incident_id"])
    incidents, next_incident = _page_after(found.open_incidents, after_incident)
    tickets, next_ticket = _page_after(found.open_tickets, after_ticket)
    on = _day_of(found)
    return ReconciliationView(
        has_tickets=True,
        start="" if period is None else period.start_on.isoformat(),
        end="" if period is None else period.last_on.isoformat(),
        area_id=area_id,
        areas=_areas(session, on),
        incident_count=len(found.incidents),
        ticket_count=len(found.tickets),
        apart_count=len(found.apart),
        open_incidents=incidents,
        open_tickets=tickets,
        apart=found.apart.iloc[:LISTED],
        open_incident_count=len(found.open_incidents),
        open_ticket_count=len(found.open_tickets),
        taken_count=int((found.open_tickets["reason"] == "taken").sum()),
        next_incident=next_incident,
        next_ticket=next_ticket,
        doubtful=doubtful.iloc[:LISTED],
        doubtful_count=len(doubtful),
        clear_count=len(matches) - len(doubtful),
        outside_count=found.outside_count,
        recording=found.recording,
        by_area=tuple((name, recording) for _, name, recording in found.by_area),
        ground=_ground(session, on),
    )


def named_matches(found: Reconciled) -> pd.DataFrame:
    """Return matches with the numbers of both books."""
    return found.matches.assign(
        incident_number=found.matches["incident_id"].map(found.incident_numbers),
        ticket_number=found.matches["ticket_id"].map(found.ticket_numbers),
    )


def _page_after(frame: gpd.GeoDataFrame, after: int) -> tuple[gpd.GeoDataFrame, int | None]:
    """Return the rows of a list after an id, and the id after which the next page begins."""
    rest = frame[frame.index > after]
    page = rest.iloc[:LISTED]
    return page, int(page.index[-1]) if len(rest) > LISTED else None


def _day_of(found: Reconciled) -> date:
    """Return a day on which the areas of these rows existed."""
    if found.period is not None:
        return found.period.start_on
    days = pd.concat([found.tickets["middle_at"], found.apart["middle_at"], found.incidents["middle_at"]])
    first: date = days.min().date()
    return first


def _areas(session: Session, on: date) -> tuple[tuple[str, str], ...]:
    rows = area_choices(session, on=on)
    names = {area_id: name for area_id, _, name, _ in rows}
    return tuple(
        (str(area_id), name if level == "city" else f"{names.get(parent or 0, '')} {name}".strip())
        for area_id, level, name, parent in rows
    )


def _ground(session: Session, on: date) -> gpd.GeoDataFrame:
    areas = find_areas(session, on=on)
    return areas[areas["level"].isin(_GROUND_LEVELS) & ~areas.geometry.isna()]
