"""Draw on the overlay that the cities of an operation share: notes and stake-out points, every version kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from geoalchemy2.shape import to_shape

from geo.errors import ConflictError, InvalidInputError
from geo.operations.acts import LIVE, check_part
from geo.operations.texts import MAX_MARK_TEXT, plain_text
from geo.operations.zones import read_point
from geo.store.operation_changes import add_change
from geo.store.operation_marks import add_mark, change_mark_row, mark_count, remove_mark_row
from geo.store.operations import is_inside_cities

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.operations.acts import Act
    from geo.store.operation_marks import OperationMark
    from geo.store.operations import JointOperation

MOST_MARKS = 2_000
"""On the overlay of one operation at a time: more is no map any more."""
Position = tuple[float, float]


def create_mark(
    session: Session, operation: JointOperation, act: Act, *, kind: str, text: str, at: Position
) -> OperationMark:
    """Put a note or a stake-out point on the overlay.

    Parameters
    ----------
    session : Session
    operation : JointOperation
        Locked.
    act : Act
        Of any city that takes part.
    kind : {"note", "stakeout"}
    text : str
        May be empty for a stake-out point, not for a note.
    at : (float, float)
        Longitude and latitude, EPSG:4326.

    Raises
    ------
    ConflictError
        If the operation is over, or the overlay is full.
    InvalidInputError
    """
    check_part(session, operation, act)
    _check_live(operation)
    point = _point(session, operation, at)
    if mark_count(session, operation.id) >= MOST_MARKS:
        raise ConflictError(
            f"the overlay holds {MOST_MARKS} marks at most; remove some first",
            code="overlay_full",
            most=MOST_MARKS,
        )
    mark = add_mark(
        session,
        operation.id,
        point=point,
        kind=kind,
        text=_text(kind, text),
        area_id=act.city_id,
        unit=act.unit,
    )
    _tell(session, operation, mark, "mark_created", act)
    return mark


def change_mark(
    session: Session,
    operation: JointOperation,
    act: Act,
    mark: OperationMark,
    *,
    text: str | None = None,
    at: Position | None = None,
) -> None:
    """Change text or place of a mark, whichever city made it; what is left out stays.

    What changes nothing makes no version, and nobody is told of it.

    Raises
    ------
    ConflictError
        If the operation is over, or the mark was removed.
    InvalidInputError
    """
    check_part(session, operation, act)
    _check_live(operation)
    _check_there(mark)
    point = None if at is None else _point(session, operation, at)
    said = mark.text if text is None else _text(mark.kind, text)
    here: Any = to_shape(mark.geom)
    if said == mark.text and (point is None or point.equals(here)):
        return
    change_mark_row(session, mark, point=point, text=said, area_id=act.city_id, unit=act.unit)
    _tell(session, operation, mark, "mark_changed", act)


def remove_mark(session: Session, operation: JointOperation, act: Act, mark: OperationMark) -> None:
    """Take a mark off the overlay; its versions stay.

    Raises
    ------
    ConflictError
        If the operation is over, or the mark was removed before.
    """
    check_part(session, operation, act)
    _check_live(operation)
    _check_there(mark)
    remove_mark_row(session, mark, area_id=act.city_id, unit=act.unit)
    _tell(session, operation, mark, "mark_removed", act)


def _check_live(operation: JointOperation) -> None:
    if operation.state not in LIVE:
        raise ConflictError(
            f"the overlay of an operation that is {operation.state} is not drawn on", code="overlay_closed"
        )


def _check_there(mark: OperationMark) -> None:
    if mark.removed_at is not None:
        raise ConflictError("the mark was removed", code="mark_gone")


def _point(session: Session, operation: JointOperation, at: Position) -> shapely.Point:
    point = shapely.Point(read_point(*at))
    if not is_inside_cities(session, operation.id, point):
        raise InvalidInputError("a mark lies in one of the cities that take part", code="mark_outside")
    return point


def _text(kind: str, text: str) -> str:
    least = 1 if kind == "note" else 0
    return plain_text(text, name="the text of a mark", most=MAX_MARK_TEXT, least=least)


def _tell(session: Session, operation: JointOperation, mark: OperationMark, kind: str, act: Act) -> None:
    point: Any = to_shape(mark.geom)
    detail = {
        "mark_id": mark.id,
        "mark_kind": mark.kind,
        "version": mark.version,
        "text": mark.text,
        "longitude": point.x,
        "latitude": point.y,
    }
    add_change(session, operation, kind=kind, detail=detail, **act.told())
