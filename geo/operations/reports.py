"""Name the units of an operation, and write down what they report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from geo.duplicates import unit_name
from geo.errors import ConflictError, InvalidInputError
from geo.operations.acts import LIVE, check_part
from geo.operations.texts import duty_phone
from geo.periods import EARLIEST
from geo.store.operation_changes import add_change
from geo.store.operations import add_unit_row, find_units, get_unit, moment

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.operations.acts import Act
    from geo.store.operation_changes import OperationChange
    from geo.store.operations import JointOperation

_MOST_UNITS = 200
_CLOCKS_DIFFER = timedelta(minutes=5)


def add_unit(
    session: Session, operation: JointOperation, act: Act, *, name: str, role: str, contact: str = ""
) -> int:
    """Add a unit of the acting city and return its id.

    Parameters
    ----------
    session : Session
    operation : JointOperation
        Locked.
    act : Act
        A city names its own units and no other's.
    name : str
        Of the unit, never of a person.
    role : str
        Code, see `geo.store.operations.OperationUnit`.
    contact : str
        Landline of its duty desk.

    Raises
    ------
    ConflictError
        If the operation is over, the unit takes part already, or there are too many.
    InvalidInputError
    """
    check_part(session, operation, act)
    if operation.state not in LIVE:
        raise ConflictError(
            f"an operation that is {operation.state} takes no more units", code="units_closed"
        )
    present = find_units(session, [operation.id])
    if len(present) >= _MOST_UNITS:
        raise ConflictError(
            f"an operation has {_MOST_UNITS} units at most", code="units_full", most=_MOST_UNITS
        )
    values = {"name": unit_name(name), "role": role, "contact": duty_phone(contact)}
    # Two cities may both have a 刑侦支队; one city has it once.
    if (act.city_id, values["name"]) in [(unit.area_id, unit.name) for unit in present]:
        raise ConflictError("this unit takes part already", code="unit_twice")
    unit = add_unit_row(session, operation.id, area_id=act.city_id, **values)
    detail = {"unit_id": unit.id, "name": unit.name, "role": role}
    add_change(session, operation, kind="unit_added", detail=detail, **act.told())
    operation.version += 1
    session.flush()
    return unit.id


def remove_unit(session: Session, operation: JointOperation, act: Act, unit_id: int) -> None:
    """Take a unit of the acting city out of an operation; the log keeps it.

    Raises
    ------
    ConflictError
        If it is another city's, or the operation is over.
    NotFoundError
    """
    check_part(session, operation, act)
    unit = get_unit(session, operation.id, unit_id)
    if operation.state not in LIVE:
        raise ConflictError(f"an operation that is {operation.state} keeps its units", code="units_closed")
    if unit.area_id != act.city_id:
        raise ConflictError("a city takes out its own units only", code="unit_of_other")
    unit.removed_at = moment(session)
    detail = {"unit_id": unit.id, "name": unit.name, "role": unit.role}
    add_change(session, operation, kind="unit_removed", detail=detail, **act.told())
    operation.version += 1
    session.flush()


def add_entry(
    session: Session, operation: JointOperation, act: Act, *, happened_at: datetime | None = None
) -> OperationChange:
    """Write what happened into the log; in every state, for reports come late.

    Parameters
    ----------
    session : Session
    operation : JointOperation
        Locked.
    act : Act
        With its text.
    happened_at : datetime, optional
        With a time zone; when it was, if not just now.

    Raises
    ------
    InvalidInputError
        If the text is empty, or the time lies in the future or before 1949.
    """
    check_part(session, operation, act)
    if not act.text:
        raise InvalidInputError("an entry of the log says what happened", code="entry_empty")
    if happened_at is not None:
        if happened_at.tzinfo is None:
            raise InvalidInputError("say in which time zone it happened", code="entry_without_zone")
        now = moment(session)
        # The day as it is written: at the ends of the calendar a time has no other zone.
        if happened_at.date() < EARLIEST or happened_at > now + _CLOCKS_DIFFER:
            raise InvalidInputError(
                f"an entry tells what has happened, after {EARLIEST}",
                code="entry_out_of_time",
                day=EARLIEST.isoformat(),
            )
    return add_change(session, operation, kind="entry", detail={}, happened_at=happened_at, **act.told())
