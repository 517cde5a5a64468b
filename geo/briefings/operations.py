"""Put together the briefing of a joint operation: the border it was proposed from, its lead, units and hours."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from geo.analysis.briefings import Role
from geo.briefings.assembly import briefing_of_border
from geo.errors import InvalidInputError
from geo.operations import load_operation
from geo.store.run_queries import get_finished_run

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geo.analysis.briefings import Briefing
    from geo.operations import Operation

_MOST_TITLE, _MOST_LABEL = 120, 120
_ROLES = {
    "lead": "牵头",
    "ambush": "设伏",
    "patrol": "巡控",
    "technical": "技术",
    "checkpoint": "卡口",
    "liaison": "联络",
    "reserve": "后备",
    "other": "其他",
}


def briefing_of_operation(session: Session, operation_id: int, *, version: str) -> Briefing:
    """Put together the briefing of a joint operation that was proposed from a scan of borders.

    Parameters
    ----------
    session : Session
        Only read from.
    operation_id : int
    version : str
        Of the software.

    Raises
    ------
    NotFoundError
        If there is no such operation, or its run is gone.
    InvalidInputError
        If the operation was not proposed from a run.

    Notes
    -----
    Numbers are those of the run; the title, the lead city and the units are those of the operation as it stands.
    """
    operation = load_operation(session, operation_id)
    if operation.run_id is None:
        raise InvalidInputError(
            "the operation was not proposed from a scan of borders: there is nothing to brief on"
        )
    document = json.loads(get_finished_run(session, operation.run_id).result or b"{}")
    zone = next((each for each in document.get("zones", []) if each["rank"] == operation.zone_rank), None)
    if zone is None:
        raise InvalidInputError("the run that the operation was proposed from holds no such zone")
    told = briefing_of_border(
        session, operation.run_id, pair="-".join(zone["cities"]), document=document, version=version
    )
    lead = operation.lead.adcode if operation.lead is not None else None
    leads = lead in [city.code for city in told.cities]
    return replace(
        told,
        title=operation.title[:_MOST_TITLE],
        lead_code=lead if leads else told.lead_code,
        lead_basis="chosen" if leads else told.lead_basis,
        roles=(_window(operation), *_roles(operation)),
    )


def _window(operation: Operation) -> Role:
    last = operation.until_on.toordinal() - 1
    days = f"{operation.from_on:%Y-%m-%d}至{type(operation.until_on).fromordinal(last):%Y-%m-%d}"
    hours = f"每日{operation.from_hour}时–{'次日' if operation.until_hour <= operation.from_hour else ''}{operation.until_hour}时"
    return Role(unit="行动时间", role=f"{days}，{hours}")


def _roles(operation: Operation) -> tuple[Role, ...]:
    return tuple(
        Role(unit=f"{unit.city} {unit.name}"[:_MOST_LABEL], role=_ROLES.get(unit.role, unit.role))
        for unit in operation.units
    )
