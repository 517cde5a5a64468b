"""Join the two books: load incidents and tickets, match them once, and narrow the answer to a time and an area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.analysis.reconciliation import EXPECTED_CAUSES, reconcile
from geo.analysis.recording import recorded_share, shares_by_group
from geo.crs import to_metric
from geo.store.tickets import find_ticketed_incidents, find_tickets

if TYPE_CHECKING:
    from collections.abc import Collection

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geo.analysis.reconciliation import Reconciliation
    from geo.analysis.recording import Recording
    from geo.periods import Period

UNPLACED_PRECISIONS = ("county", "city")
"""Precisions at which a point says no more than the area does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Everything in both books, matched.

    Parameters
    ----------
    incidents, tickets, apart : GeoDataFrame
        EPSG:4326, indexed by id, with middle_at: incidents a ticket could exist for, tickets an incident could
        exist for, and tickets booked as weather or fault.
    result : Reconciliation
        Over all of them: a period or an area cuts no match in two.
    """

    incidents: gpd.GeoDataFrame
    tickets: gpd.GeoDataFrame
    apart: gpd.GeoDataFrame
    result: Reconciliation


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """The two books of one period and area.

    Parameters
    ----------
    period : Period or None
    incidents, tickets, apart : GeoDataFrame
        Rows of the period and area; see `Books`.
    matches : DataFrame
        See `geo.analysis.reconciliation.Reconciliation`: those whose ticket or incident is among the rows.
    open_incidents, open_tickets : GeoDataFrame
        Rows without a partner, with nearest_id, nearest_number, distance_m, gap_hours, overlap_hours, score
        and reason.
    recording : Recording
        Of the tickets that lie within the time the incidents span.
    by_area : tuple of (int, str, Recording)
        The same by city, or by county of one area; areas with too few tickets are left out.
    outside_count : int
        Tickets before the first or after the last incident of all: nothing can be said of those.
    incident_numbers, ticket_numbers : Series
        Numbers by id of both whole books: the partner of a row may lie outside the period.
    """

    period: Period | None
    incidents: gpd.GeoDataFrame
    tickets: gpd.GeoDataFrame
    apart: gpd.GeoDataFrame
    matches: pd.DataFrame
    open_incidents: gpd.GeoDataFrame
    open_tickets: gpd.GeoDataFrame
    recording: Recording
    by_area: tuple[tuple[int, str, Recording], ...]
    outside_count: int
    incident_numbers: pd.Series[str]
    ticket_numbers: pd.Series[str]

    @property
    def matched_incidents(self) -> int:
        """Number of incidents with a ticket."""
        return len(self.incidents) - len(self.open_incidents)

    @property
    def matched_tickets(self) -> int:
        """Number of tickets with an incident."""
        return len(self.tickets) - len(self.open_tickets)


def load_books(session: Session) -> Books:
    """Load both books and match them."""
    incidents = _with_middle(find_ticketed_incidents(session))
    every = _with_middle(find_tickets(session))
    is_expected = every["cause"].isin(EXPECTED_CAUSES)
    tickets, apart = every[is_expected], every[~is_expected]
    result = reconcile(_measured(incidents), _measured(tickets), apart=_measured(apart))
    return Books(incidents=incidents, tickets=tickets, apart=apart, result=result)


def _with_middle(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    frame["middle_at"] = frame["occurred_from"] + (frame["occurred_until"] - frame["occurred_from"]) / 2
    return frame


def _measured(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Project to metres; a centre of a county or city is taken for the area it stands for, if that is known."""
    metric = to_metric(frame)
    stands_for_area = metric["place_precision"].isin(UNPLACED_PRECISIONS) & metric["area_id"].notna()
    metric.loc[stands_for_area, "geometry"] = None
    return metric


def narrow_books(books: Books, *, period: Period | None, area_ids: Collection[int] | None) -> Reconciled:
    """Return what the books say of a period and an area.

    Parameters
    ----------
    books : Books
    period : Period, optional
        Rows whose middle lies in it.
    area_ids : collection of int, optional
        Areas by place, with everything inside them.
    """
    incidents, tickets, apart = (
        _chosen(frame, period, area_ids) for frame in (books.incidents, books.tickets, books.apart)
    )
    matches = books.result.matches
    is_among = matches["incident_id"].isin(incidents.index) | matches["ticket_id"].isin(tickets.index)
    comparable = tickets.assign(is_recorded=tickets.index.isin(matches["ticket_id"]))
    is_inside = _within_incidents(comparable, books.incidents)
    comparable = comparable[is_inside]
    every_ticket = pd.concat([books.tickets["number"], books.apart["number"]])
    return Reconciled(
        period=period,
        incidents=incidents,
        tickets=tickets,
        apart=apart,
        matches=matches[is_among].reset_index(drop=True),
        open_incidents=_open(incidents, books.result.open_incidents, every_ticket),
        open_tickets=_open(tickets, books.result.open_tickets, books.incidents["number"]),
        recording=recorded_share(comparable[["middle_at", "is_recorded"]]),
        by_area=_by_area(books, comparable, by_county=area_ids is not None),
        outside_count=int((~is_inside).sum()),
        incident_numbers=books.incidents["number"],
        ticket_numbers=every_ticket,
    )


def _chosen(
    frame: gpd.GeoDataFrame, period: Period | None, area_ids: Collection[int] | None
) -> gpd.GeoDataFrame:
    keep = np.ones(len(frame), dtype=np.bool_)
    if period is not None:
        start, until = period.bounds_at()
        keep &= ((frame["middle_at"] >= start) & (frame["middle_at"] < until)).to_numpy()
    if area_ids is not None:
        keep &= frame["area_id"].isin(list(area_ids)).to_numpy()
    return frame[keep]


def _within_incidents(tickets: gpd.GeoDataFrame, incidents: gpd.GeoDataFrame) -> pd.Series[bool]:
    """Tell which tickets lie within the time that the police's book spans at all."""
    first, last = incidents["occurred_from"].min(), incidents["occurred_until"].max()
    # Without any incident both are NaT, and nothing lies between.
    inside: pd.Series[bool] = (tickets["middle_at"] >= first) & (tickets["middle_at"] < last)
    return inside


def _open(rows: gpd.GeoDataFrame, left: pd.DataFrame, numbers: pd.Series[str]) -> gpd.GeoDataFrame:
    """Join rows that have no partner with their nearest candidates."""
    joined = rows.join(left, how="inner")
    joined["nearest_number"] = joined["nearest_id"].map(numbers)
    return joined


def _by_area(
    books: Books, comparable: gpd.GeoDataFrame, *, by_county: bool
) -> tuple[tuple[int, str, Recording], ...]:
    column = "area_id" if by_county else "city_id"
    found = shares_by_group(comparable, group=column)
    names = _area_names(books)
    return tuple((key, names.get(key, ""), recording) for key, recording in found.items())


def _area_names(books: Books) -> dict[int, str]:
    """Names by id of the areas that tickets lie in."""
    names: dict[int, str] = {}
    for key, name in (("area_id", "area_name"), ("city_id", "city_name")):
        rows = books.tickets[[key, name]].dropna().drop_duplicates()
        names |= {int(area_id): str(text) for area_id, text in rows.itertuples(index=False)}
    return names
