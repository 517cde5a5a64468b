"""Join staged rows and the gazetteer: give rows that name a place but no coordinates the circle that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.errors import Fault, InvalidInputError
from geo.gazetteer import answer_place
from geo.gazetteer_sources import load_gazetteer
from geo.store.staged_places import find_named_places, place_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.store.staged_places import NamedPlaceRow

KINDS = ("incidents", "tickets")
MOST_TEXTS = 3_000
"""Different places of one file that are looked up; a file with more has places that belong into coordinates."""


def place_staged(session: Session, kind: str) -> tuple[Fault, ...]:
    """Place staged rows without coordinates by what they say; return notices of how many were found.

    Parameters
    ----------
    session : Session
        With the rows staged in this transaction.
    kind : str
        Only incidents and tickets name places.

    Notes
    -----
    The class and radius of the answer replace what the file states: a name is never more precise than the
    register that knows it. What is ambiguous or unknown stays without a point.
    """
    if kind not in KINDS:
        return ()
    named = find_named_places(session, most=MOST_TEXTS + 1)
    if not named:
        return ()
    if len(named) > MOST_TEXTS:
        message = f"more than {MOST_TEXTS} different places are named without coordinates; none was looked up"
        return (Fault(None, "place_text", "too_many_places", message),)
    gazetteer = load_gazetteer(session)
    placed = missed = 0
    for row in named:
        try:
            answer = answer_place(session, gazetteer, _question(row), on=row.on)
        except InvalidInputError:
            missed += row.count
            continue
        if answer.status != "found" or answer.lon is None or answer.lat is None:
            missed += row.count
            continue
        place_rows(
            session,
            row,
            lon=answer.lon,
            lat=answer.lat,
            radius_m=float(answer.radius_m or 0),
            precision=answer.precision or "county",
            has_flags=kind == "incidents",
        )
        placed += row.count
    return _notices(placed, missed)


def _question(row: NamedPlaceRow) -> str:
    """Return the text to look up: the area first, unless the place names it itself."""
    return row.place_text if row.place_text.startswith(row.area) else f"{row.area}{row.place_text}"


def _notices(placed: int, missed: int) -> tuple[Fault, ...]:
    notices = []
    if placed:
        message = f"{placed} rows without coordinates were placed by the name of their place, with its radius"
        notices.append(Fault(None, "place_text", "placed_by_name", message))
    if missed:
        message = f"{missed} rows without coordinates name a place that no register knows; they have no point"
        notices.append(Fault(None, "place_text", "place_not_found", message))
    return tuple(notices)
