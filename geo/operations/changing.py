"""Change what an operation is about, and ask every city again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.errors import ConflictError
from geo.operations.acts import check_part, window_of
from geo.operations.proposals import checked_cities, checked_lead, read_zones, told_zones
from geo.operations.texts import title_text
from geo.operations.zone_checks import check_cities_hold_zones
from geo.store.operation_changes import add_change
from geo.store.operations import find_zones, replace_zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
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
    stands any more: every city is asked again, and the log says so. A title binds nobody. The log keeps what was and what is.
    """
    asked = check_part(session, operation, act)
    if operation.state not in CHANGEABLE:
        raise ConflictError(
            f"an operation that is {operation.state} is not changed; end it and propose another",
            code="change_closed",
        )
    own = window_of(operation)
    cities = checked_cities(session, tuple(asked), (), window=window or own)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if title is not None and (plain := title_text(title)) != operation.title:
        before["title"], after["title"] = operation.title, plain
        operation.title = plain
    if lead_id is not None and checked_lead(lead_id, None, cities) != operation.lead_area_id:
        before["lead"], after["lead"] = _name(cities, operation.lead_area_id), _name(cities, lead_id)
        operation.lead_area_id = lead_id
    if window is not None and window != own:
        window.check_comparable()
        before["window"], after["window"] = _told_window(own), _told_window(window)
        operation.from_on, operation.until_on = window.from_on, window.until_on
        operation.from_hour, operation.until_hour = window.from_hour, window.until_hour
    detail: dict[str, Any] = {}
    if zones is not None:
        read = read_zones(zones, None, cities)
        check_cities_hold_zones(cities, read)
        before["zones"] = find_zones(session, [operation.id])["label"].tolist()
        after["zones"] = read["label"].tolist()
        replace_zones(session, operation.id, read)
        # Drawn by somebody: no run stands for these any more.
        operation.run_id = operation.zone_rank = None
        detail["zones"] = told_zones(read)
    if not after:
        return
    detail |= {"changed": list(after), "before": before, "after": after}
    add_change(session, operation, kind="changed", detail=detail, **act.told())
    if list(after) != ["title"]:
        _ask_again(session, operation, asked, act)
    operation.version += 1
    session.flush()


def _name(cities: gpd.GeoDataFrame, lead_id: int | None) -> str | None:
    return None if lead_id is None else str(cities["name"].loc[lead_id])


def _told_window(window: Window) -> dict[str, Any]:
    """Return days and hours as the log keeps them, the last day included."""
    return {
        "from_on": window.from_on.isoformat(),
        "last_on": window.last_on.isoformat(),
        "from_hour": window.from_hour,
        "until_hour": window.until_hour,
    }


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
