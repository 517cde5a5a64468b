"""Complete when and where something happened from what the cells of one row say together."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from geo.io.cells import CellError
from geo.io.times import check_not_future, widened

if TYPE_CHECKING:
    from datetime import date

    from geo.io.kinds import Row
    from geo.io.times import Moment

RADIUS_M = {
    "point": 50.0,
    "section": 1_500.0,
    "village": 1_500.0,
    "township": 9_000.0,
    "county": 33_000.0,
    "city": 100_000.0,
}
"""Radius taken for a class of place that comes without one: the far end of what such places span in Henan."""

_CLASSES_BY_RADIUS = ("point", "village", "township", "county", "city")


def occurrence_interval(row: Row, as_of: date) -> Row:
    """Return occurred_from, occurred_until and date_precision of a row.

    Parameters
    ----------
    row : dict
        With occurred_from and occurred_until (`geo.io.times.Moment` or None) and date_precision.
    as_of : date
        Today in China.

    Raises
    ------
    CellError
        If it lies in the future or ends before it begins.
    """
    start: Moment = row["occurred_from"]
    end: Moment | None = row["occurred_until"]
    check_not_future(start, as_of, column="occurred_from")
    if end is None or end == start:
        moment = widened(start, row["date_precision"] or start.precision)
        start_at, until_at, precision = moment.start_at, moment.until_at, moment.precision
    else:
        # A night that begins today ends tomorrow.
        check_not_future(end, as_of + timedelta(days=1), column="occurred_until")
        start_at, precision = start.exact_at or start.start_at, "interval"
        until_at = end.exact_at if end.exact_at and end.precision != "day" else end.until_at
    if until_at <= start_at:
        raise CellError("end_before_start", "the end does not lie after the start", column="occurred_until")
    return {
        "occurred_from": start_at,
        "occurred_until": until_at,
        "date_precision": row["date_precision"] or precision,
    }


def stated_place(row: Row, stated: str | None) -> Row:
    """Return place_precision and radius_m of a row.

    Parameters
    ----------
    row : dict
        With geometry, place_text, area, place_precision and radius_m.
    stated : str or None
        Class of the places of the file, for rows that state neither class nor radius.

    Raises
    ------
    CellError
        If there is neither a place nor an area, or a point of which nobody says how precise it is.
    """
    precision, radius_m = row["place_precision"], row["radius_m"]
    if row["geometry"] is None:
        if not (row["place_text"] or row["area"]):
            raise CellError("no_place", "the row has neither a place nor an area", column="place_text")
        return {"place_precision": precision or "county", "radius_m": None}
    if precision is None and radius_m is not None:
        precision = next((name for name in _CLASSES_BY_RADIUS if radius_m <= RADIUS_M[name]), "city")
    precision = precision or stated
    if precision is None:
        message = "say how precise the place is (place_precision or radius_m); it is never guessed"
        raise CellError("precision_missing", message, column="place_precision")
    return {"place_precision": precision, "radius_m": RADIUS_M[precision] if radius_m is None else radius_m}
