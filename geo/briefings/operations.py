"""Put together the briefing of a joint operation: the border it was proposed from, its lead, units and hours."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from geo.analysis.briefings import ActionWindow, Role
from geo.briefings.assembly import briefing_of_border
from geo.errors import InvalidInputError
from geo.operations import load_operation
from geo.runs.borders import BordersRequest
from geo.store.run_queries import find_runs_asked, get_run_head

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from geo.analysis.briefings import Briefing
    from geo.operations import Operation, Unit
    from geo.store.runs import Run

_MOST_TITLE, _MOST_LABEL = 120, 120


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationScan:
    """The run that a briefing of an operation is made from, its document, and the codes of the border."""

    run: Run
    document: Mapping[str, Any]
    pair: str


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
        If the operation was not proposed from a run, or that is of an older version and nobody has computed it anew.

    Notes
    -----
    Numbers are those of the run; the title, the lead city and the units are those of the operation as it stands.
    """
    operation = load_operation(session, operation_id)
    scan = _scan_of(session, operation)
    told = briefing_of_border(session, scan.run.id, pair=scan.pair, document=scan.document, version=version)
    lead = operation.lead.adcode if operation.lead is not None else None
    leads = lead in [city.code for city in told.cities]
    return replace(
        told,
        title=operation.title[:_MOST_TITLE],
        lead_code=lead if leads else told.lead_code,
        lead_basis="chosen" if leads else told.lead_basis,
        window=_window(operation),
        roles=_roles(operation),
        unknowns=(*_older(operation, scan), *told.unknowns),
    )


def run_to_brief(session: Session, operation: Operation) -> Run:
    """Return the run that a briefing of an operation is made from; its result is loaded when it is looked at.

    That is the run it was proposed from or, where an older version computed that one, the newest of today's version
    that was asked the same.

    Raises
    ------
    NotFoundError
        If its run is gone.
    InvalidInputError
        If it was not proposed from a run, or none of today's version has finished.
    """
    if operation.run_id is None:
        raise InvalidInputError(
            "the operation was not proposed from a scan of borders: there is nothing to brief on",
            code="operation_without_run",
        )
    run = get_run_head(session, operation.run_id)
    now = _asked_today(session, run)
    if not now:
        raise InvalidInputError(
            f"run {run.id} is of another version, which told other things of a border: compute it again",
            code="operation_of_old_run",
        )
    return next((each for each in now if each.id == run.id), now[0])


def _asked_today(session: Session, run: Run) -> list[Run]:
    """Return the finished runs of today's version that were asked the same, the newest first."""
    try:
        request = BordersRequest.from_parameters(run.parameters)
    except InvalidInputError:
        # Of another version, or outside today's limits: nobody can ask the same today.
        return []
    asked = find_runs_asked(session, kind=run.kind, parameters=request.parameters())
    hashed = ((each, request.request_hash(dataset_version=each.dataset_version or 0)) for each in asked)
    return [each for each, wanted in hashed if each.request_hash == wanted]


def _scan_of(session: Session, operation: Operation) -> OperationScan:
    run = run_to_brief(session, operation)
    own = json.loads(get_run_head(session, operation.run_id or 0).result or b"{}")
    zone = next((each for each in own.get("zones", []) if each["rank"] == operation.zone_rank), None)
    if zone is None:
        raise InvalidInputError(
            "the run that the operation was proposed from holds no such zone", code="no_such_run_zone"
        )
    document = own if run.id == operation.run_id else json.loads(run.result or b"{}")
    return OperationScan(run=run, document=document, pair="-".join(zone["cities"]))


def _older(operation: Operation, scan: OperationScan) -> tuple[str, ...]:
    if scan.run.id == operation.run_id:
        return ()
    one, other = operation.run_id, scan.run.id
    told = f"会战是从运行{one}提出的，那次计算是旧版本；本件的数字来自同样问题的运行{other}，区域可能与提出时不同。"
    return (told,)


def _window(operation: Operation) -> ActionWindow:
    return ActionWindow(
        from_on=operation.from_on,
        last_on=operation.until_on - timedelta(days=1),
        from_hour=operation.from_hour,
        until_hour=operation.until_hour,
    )


def _roles(operation: Operation) -> tuple[Role, ...]:
    return tuple(Role(unit=_named(unit)[:_MOST_LABEL], role=unit.role) for unit in operation.units)


def _named(unit: Unit) -> str:
    """Name a unit with its city, once."""
    return unit.name if unit.name.startswith(unit.city) else f"{unit.city} {unit.name}"
