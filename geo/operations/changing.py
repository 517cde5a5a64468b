"""Change what an operation is about, and ask every city again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.errors import ConflictError
from geo.operations.acts import check_part, window_of
from geo.operations.proposals import checked_cities, checked_lead, read_zones, told_zones
from geo.operations.texts import title_text
from geo.store.operation_changes import add_change
from geo.store.operations import replace_zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from geo.operations.acts import Act
    from geo.operations.windows import Window
    from geo.store.operations import JointOperation, OperationCity

CHANGEABLE = frozenset({"proposed", "agreed", "declined"})
"""States in which an operation can still become another one."""


def change_operation(
    session: Session,
    operation: JointOperation,
    act: Act,
    *,
    title: str | None = None,
    lead_id: int | None = None,
    window: Window | None = None,
    zones: Sequence[tuple[str, Any]] | None = None,
) -> None:
    """Change title, lead, days, hours or zones; what is left out stays.

    Parameters
    ----------
    session : Session
    operation : JointOperation
        Locked.
    act : Act
    title : str, optional
    lead_id : int, optional
    window : Window, optional
    zones : sequence of (str, object), optional
        Label and GeoJSON polygon; they replace all zones.

    Raises
    ------
    ConflictError
        If the operation runs or is over.
    InvalidInputError

    Notes
    -----
    A city agreed to this lead, these days, hours and zones. Once one of them changes, no agreement and no refusal
    stands any more: every city is asked again, and the log says so. A title binds nobody.
    """
    asked = check_part(session, operation, act)
    if operation.state not in CHANGEABLE:
        raise ConflictError(
            f"an operation that is {operation.state} is not changed; end it and propose another"
        )
    changed: list[str] = []
    before = window_of(operation)
    cities = checked_cities(session, tuple(asked), (), window=window or before)
    if title is not None and title_text(title) != operation.title:
        operation.title = title_text(title)
        changed.append("title")
    if lead_id is not None and checked_lead(lead_id, None, cities) != operation.lead_area_id:
        operation.lead_area_id = lead_id
        changed.append("lead")
    if window is not None and window != before:
        operation.from_on, operation.until_on = window.from_on, window.until_on
        operation.from_hour, operation.until_hour = window.from_hour, window.until_hour
        changed.append("window")
    detail: dict[str, Any] = {"changed": changed}
    if zones is not None:
        read = read_zones(zones, None, cities)
        replace_zones(session, operation.id, read)
        # Drawn by somebody: no run stands for these any more.
        operation.run_id = operation.zone_rank = None
        detail["zones"] = told_zones(read)
        changed.append("zones")
    if not changed:
        return
    add_change(session, operation, kind="changed", detail=detail, **act.told())
    if changed != ["title"]:
        _ask_again(session, operation, asked, act)
    operation.version += 1
    session.flush()


def _ask_again(
    session: Session, operation: JointOperation, cities: dict[int, OperationCity], act: Act
) -> None:
    lost = [city.area_id for city in cities.values() if city.answer != "asked"]
    for city in cities.values():
        city.answer, city.answered_by, city.answered_at = "asked", None, None
    operation.state = "proposed"
    if lost:
        add_change(
            session,
            operation,
            kind="agreements_reset",
            detail={"cities": lost},
            area_id=act.city_id,
            unit=act.unit,
        )
