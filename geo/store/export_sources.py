"""Say where the fields of an export stand in the tables, what a filter asks of them and what may leave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal_column, not_, or_, select, true
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.orm import aliased

from geo.store.areas import Area
from geo.store.base import in_window
from geo.store.catalogues import Organisation
from geo.store.incident_queries import IncidentFilter, incident_conditions
from geo.store.incidents import Incident, IncidentStatus
from geo.store.lines import CableLine, Facility, Segment
from geo.store.places import Place
from geo.store.stations import Station
from geo.store.tickets import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement

    from geo.periods import Period

    Conditions = Callable[[IncidentFilter], list[ColumnElement[bool]]]

RECORD_AREA = aliased(Area)
"""The area that recorded an incident, beside the one where it happened."""
_Parent = aliased(Area)
_Lines = (CableLine, CableLine.id == Segment.line_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSource:
    """Rows of one kind.

    Parameters
    ----------
    table : mapped class
        Its id is the key of the chunks.
    columns : tuple of column
        Labelled with the names of the fields.
    joins : tuple of (target, condition)
        Outer joins: no row may vanish for want of a name.
    conditions : callable
        What a filter asks of a row.
    applies : frozenset of str
        Parts of the filter that mean something for these rows.
    stored : condition
        What counts as stored at all.
    may_leave : condition
        What of it may be handed on.
    """

    table: type[Any]
    columns: tuple[Any, ...]
    joins: tuple[tuple[Any, Any], ...]
    conditions: Conditions
    applies: frozenset[str]
    stored: Any = field(default_factory=true)
    may_leave: Any = field(default_factory=true)


def _in_place(table: Any, wanted: IncidentFilter, area_id: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.area_ids is not None:
        conditions.append(area_id.in_(wanted.area_ids))
    if wanted.box is not None:
        conditions.append(in_window(table.geom, wanted.box))
    return conditions


def _within(begin: Any, end: Any, period: Period | None) -> list[ColumnElement[bool]]:
    """Rows that were valid on at least one day of a period; an open end is open for ever."""
    if period is None:
        return []
    return [or_(begin.is_(None), begin < period.until_on), or_(end.is_(None), end > period.start_on)]


def _of_sector(column: Any, wanted: IncidentFilter) -> list[ColumnElement[bool]]:
    return [] if wanted.sector is None else [column == wanted.sector]


def _ticket_conditions(wanted: IncidentFilter) -> list[ColumnElement[bool]]:
    conditions = _in_place(Ticket, wanted, Ticket.area_id) + _of_sector(Ticket.sector_code, wanted)
    if wanted.period is not None:
        start, until = wanted.period.bounds_at()
        half = (Ticket.occurred_until - Ticket.occurred_from).op("/", precedence=8, return_type=INTERVAL)(
            literal_column("2")
        )
        conditions += [Ticket.occurred_from < until, Ticket.occurred_until > start]
        # As with incidents, the middle of the interval decides to which period a ticket belongs.
        conditions += [start <= Ticket.occurred_from + half, until > Ticket.occurred_from + half]
    return conditions


def _latest_status() -> Any:
    query = select(IncidentStatus.status).where(IncidentStatus.incident_id == Incident.id)
    newest_first = query.order_by(IncidentStatus.since_on.desc(), IncidentStatus.id.desc())
    return newest_first.limit(1).correlate(Incident).scalar_subquery()


def _occurrence(table: Any) -> tuple[Any, ...]:
    return (
        table.occurred_from,
        table.occurred_until,
        table.date_precision,
        table.place_text,
        table.place_precision,
        table.radius_m,
    )


_AREA_NAME = Area.name.label("area")
_OWNER_NAME = Organisation.name.label("owner")

SOURCES: dict[str, RowSource] = {
    "incidents": RowSource(
        table=Incident,
        columns=(
            Incident.case_number,
            *_occurrence(Incident),
            Incident.category_code.label("category"),
            Incident.sector_code.label("sector"),
            Incident.origin,
            Incident.direct_loss_yuan,
            Incident.loss_qualifier,
            Incident.outage_hours,
            RECORD_AREA.name.label("record_area"),
            _AREA_NAME,
            _latest_status().label("status"),
            Incident.note,
            Incident.source,
            Incident.is_census,
            Incident.flags,
        ),
        joins=((Area, Area.id == Incident.area_id), (RECORD_AREA, RECORD_AREA.id == Incident.record_area_id)),
        conditions=incident_conditions,
        applies=frozenset({"period", "category", "sector", "area", "bbox"}),
        stored=Incident.voided_at.is_(None),
    ),
    "lines": RowSource(
        table=Segment,
        columns=(
            CableLine.name.label("line_name"),
            Segment.sequence,
            Segment.from_node,
            Segment.to_node,
            CableLine.sector_code.label("sector"),
            Segment.kind,
            Segment.pairs,
            Segment.laying,
            _OWNER_NAME,
            Segment.responsible_unit,
            Segment.length_m,
            Segment.in_service_from,
            Segment.in_service_until,
            _AREA_NAME,
            CableLine.source,
        ),
        joins=(
            _Lines,
            (Organisation, Organisation.id == CableLine.owner_id),
            (Area, Area.id == Segment.area_id),
        ),
        conditions=lambda wanted: (
            _in_place(Segment, wanted, Segment.area_id)
            + _of_sector(CableLine.sector_code, wanted)
            + _within(Segment.in_service_from, Segment.in_service_until, wanted.period)
        ),
        applies=frozenset({"period", "sector", "area", "bbox"}),
    ),
    "stations": RowSource(
        table=Station,
        columns=(
            Station.source_key.label("station_key"),
            Station.name,
            Station.state,
            Station.has_import_permit,
            _AREA_NAME,
            Station.source,
        ),
        joins=((Area, Area.id == Station.area_id),),
        conditions=lambda wanted: _in_place(Station, wanted, Station.area_id),
        applies=frozenset({"area", "bbox"}),
    ),
    "areas": RowSource(
        table=Area,
        columns=(
            Area.level,
            Area.adcode,
            Area.name,
            _Parent.name.label("parent"),
            Area.valid_from,
            Area.valid_until,
            Area.geometry_source,
            Area.is_redistributable,
        ),
        joins=((_Parent, _Parent.id == Area.parent_id),),
        conditions=lambda wanted: (
            _in_place(Area, wanted, Area.id) + _within(Area.valid_from, Area.valid_until, wanted.period)
        ),
        applies=frozenset({"period", "area", "bbox"}),
        may_leave=Area.is_redistributable,
    ),
    "facilities": RowSource(
        table=Facility,
        columns=(
            Facility.source_key.label("facility_key"),
            Facility.name,
            Facility.kind,
            Facility.sector_code.label("sector"),
            _OWNER_NAME,
            _AREA_NAME,
            Facility.source,
        ),
        joins=((Organisation, Organisation.id == Facility.owner_id), (Area, Area.id == Facility.area_id)),
        conditions=lambda wanted: (
            _in_place(Facility, wanted, Facility.area_id) + _of_sector(Facility.sector_code, wanted)
        ),
        applies=frozenset({"sector", "area", "bbox"}),
        may_leave=not_(Facility.is_restricted),
    ),
    "places": RowSource(
        table=Place,
        columns=(
            Place.source_key.label("place_key"),
            Place.name,
            Place.other_names,
            Place.kind,
            _AREA_NAME,
            Place.place_precision,
            Place.radius_m,
            Place.valid_from,
            Place.valid_until,
            Place.source,
        ),
        joins=((Area, Area.id == Place.area_id),),
        conditions=lambda wanted: (
            _in_place(Place, wanted, Place.area_id)
            + _within(Place.valid_from, Place.valid_until, wanted.period)
        ),
        applies=frozenset({"period", "area", "bbox"}),
    ),
    "tickets": RowSource(
        table=Ticket,
        columns=(
            Ticket.ticket_number,
            Ticket.kind,
            *_occurrence(Ticket),
            Ticket.sector_code.label("sector"),
            Ticket.cable_kind,
            Ticket.cause,
            _AREA_NAME,
            Ticket.line_name,
            Ticket.note,
            Ticket.source,
        ),
        joins=((Area, Area.id == Ticket.area_id),),
        conditions=_ticket_conditions,
        applies=frozenset({"period", "sector", "area", "bbox"}),
    ),
}
"""Rows of each kind that stands in a table."""
