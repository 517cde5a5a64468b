"""Say for each kind of file which table its rows go to, what makes a row the same, and what contradicts it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A query that returns the row numbers of staged rows that cannot be right."""

    query: str
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the rows of one kind of file go.

    Parameters
    ----------
    table : str
    columns : dict of str to str
        Column of the frame -> column of the table, copied as they are.
    extras : dict of str to str
        Further columns of the staged table -> type.
    extras_in_file : dict of str to str
        Those of them that come from the frame -> column of the frame.
    resolve : tuple of str
        Statements that find the ids of what rows name.
    checks : tuple of Check
    joined, match : str
        Stored rows as ``t`` (with what hangs on them), and when ``t`` and the staged row ``s`` are the same.
    key_text : str
        The key as people read it.
    compared : dict of str to (str, str)
        Name -> staged and stored expression; where they differ the row is a conflict.
    inserted : tuple of str
        Columns of the table that are filled from the staged ones.
    fixed_names, fixed_values : str
        Further columns of the insert.
    before_insert, after_insert : tuple of str
    """

    table: str
    columns: dict[str, str]
    joined: str
    match: str
    key_text: str
    compared: dict[str, tuple[str, str]]
    inserted: tuple[str, ...]
    extras: dict[str, str] = field(default_factory=dict)
    extras_in_file: dict[str, str] = field(default_factory=dict)
    resolve: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    fixed_names: str = ""
    fixed_values: str = ""
    before_insert: tuple[str, ...] = ()
    after_insert: tuple[str, ...] = ()


STAGED_TYPES = {"row_number": "bigint"}
"""Columns that every staged table has and no other."""


def _same(*names: str) -> dict[str, tuple[str, str]]:
    return {name: (f"s.{name}", f"t.{name}") for name in names} | {"geometry": ("s.geom", "t.geom")}


def _area_by_name(name: str, into: str, day: str) -> str:
    """Return the statement that finds the one area of that name or code on that day."""
    return f"""
        update staged set {into} = found.id
        from (
            select named.{name} as word, named.day, min(area.id) as id
            from (select distinct {name}, ({day})::date as day from staged where {name} <> '') as named
            join huxian.area on area.level in ('city', 'county')
                and (area.valid_from is null or area.valid_from <= coalesce(named.day, current_date))
                and (area.valid_until is null or area.valid_until > coalesce(named.day, current_date))
            left join huxian.area as city on city.id = area.parent_id
            where area.name = named.{name} or area.adcode = named.{name}
                or city.name || area.name = named.{name} or area.name || '公安局' = named.{name}
            group by named.{name}, named.day
            having count(*) = 1
        ) as found
        where staged.{name} = found.word and ({day})::date is not distinct from found.day
    """  # noqa: S608 - our own names


def _unknown_area(name: str, into: str, column: str) -> Check:
    return Check(
        query=f"""
            select row_number from staged
            where {name} <> '' and {into} is null
              and exists (select 1 from huxian.area where level in ('city', 'county'))
        """,  # noqa: S608 - same
        column=column,
        code="unknown_area",
        message="no city or county had this name or code on that day, or more than one had",
    )


_ORGANISATIONS = (
    """
    insert into huxian.organisation (name, kind)
    select distinct owner, 'enterprise' from staged where owner <> ''
    on conflict do nothing
    """,
    "update staged set owner_id = o.id from huxian.organisation o where o.name = staged.owner",
)

# Only rows outside every city and county of their day are asked how far outside they lie. The
# nearest point is sought in degrees and measured on the ellipsoid: right to some hundredths of the radius.
_PLACED_CHECKS = (
    Check(
        query="""
            with outside as materialized (
                select s.row_number, s.geom, s.radius_m from staged s
                where s.geom is not null and s.located_area_id is null
                  and exists (select 1 from huxian.area where geom is not null)
            )
            select row_number from outside s
            where not exists (
                select 1 from huxian.area a
                where a.geom && ST_Expand(s.geom, (s.radius_m + 1) / 85000.0)
                  and ST_Distance(ST_ClosestPoint(a.geom, s.geom)::geography, s.geom::geography) <= s.radius_m)
        """,
        column="x",
        code="outside_province",
        message="no part of the place lies in an area that is known; are the axes, the datum or the areas right?",
    ),
)

# A place that contradicts the area it is said to lie in is kept as recorded and marked, never moved.
_FLAG_OUTSIDE = """
    update staged set flags = array['place_outside_area']
    from huxian.area a
    where a.id = staged.area_id and staged.geom is not null and a.geom is not null
      and staged.area_id is distinct from staged.located_area_id and not ST_Intersects(a.geom, staged.geom)
      and ST_Distance(ST_ClosestPoint(a.geom, staged.geom)::geography, staged.geom::geography) > staged.radius_m
"""

# What the row says itself comes first; a place known to a city only lies in no county.
_LOCATED = """
    update staged set area_id = located_area_id
    where area_id is null and coalesce(area, '') = '' and place_precision <> 'city'
      and located_area_id is not null
"""

INCIDENTS = Target(
    table="huxian.incident",
    columns={
        "case_number": "case_number",
        "occurred_from": "occurred_from",
        "occurred_until": "occurred_until",
        "date_precision": "date_precision",
        "place_text": "place_text",
        "place_precision": "place_precision",
        "radius_m": "radius_m",
        "declared_datum": "declared_datum",
        "category": "category_code",
        "sector": "sector_code",
        "origin": "origin",
        "direct_loss_yuan": "direct_loss_yuan",
        "loss_qualifier": "loss_qualifier",
        "outage_hours": "outage_hours",
        "note": "note",
        "geometry": "geom",
    },
    extras={
        "record_area": "text",
        "area": "text",
        "status": "text",
        "record_area_id": "bigint",
        "area_id": "bigint",
        "located_area_id": "bigint",
        "flags": "text[] default '{}'",
    },
    extras_in_file={
        "record_area": "record_area",
        "area": "area",
        "status": "status",
        "located_area_id": "located_area_id",
    },
    resolve=(
        _area_by_name("record_area", "record_area_id", "occurred_from at time zone 'Asia/Shanghai'"),
        _area_by_name("area", "area_id", "occurred_from at time zone 'Asia/Shanghai'"),
        _FLAG_OUTSIDE,
        _LOCATED,
    ),
    checks=(
        _unknown_area("record_area", "record_area_id", "record_area"),
        _unknown_area("area", "area_id", "area"),
        *_PLACED_CHECKS,
    ),
    joined="huxian.incident t",
    match=(
        "t.source = s.source and t.case_number = s.case_number"
        " and coalesce(t.record_area_id, 0) = coalesce(s.record_area_id, 0)"
    ),
    key_text="s.case_number",
    compared=_same(
        "occurred_from",
        "occurred_until",
        "place_text",
        "place_precision",
        "radius_m",
        "category_code",
        "sector_code",
        "origin",
        "direct_loss_yuan",
    ),
    inserted=(
        "source",
        "case_number",
        "occurred_from",
        "occurred_until",
        "date_precision",
        "place_text",
        "place_precision",
        "radius_m",
        "declared_datum",
        "category_code",
        "sector_code",
        "origin",
        "direct_loss_yuan",
        "loss_qualifier",
        "outage_hours",
        "note",
        "geom",
        "record_area_id",
        "area_id",
        "flags",
    ),
    fixed_names=", is_census",
    fixed_values=", true",
    after_insert=(
        """
        insert into huxian.incident_status (incident_id, status, since_on)
        select t.id, coalesce(s.status, 'recorded'), (s.occurred_from at time zone 'Asia/Shanghai')::date
        from staged s join huxian.incident t on t.import_batch_id = :batch and t.source = s.source
            and t.case_number = s.case_number
            and coalesce(t.record_area_id, 0) = coalesce(s.record_area_id, 0)
        """,
    ),
)

LINES = Target(
    table="huxian.segment",
    columns={
        name: name
        for name in (
            "sequence",
            "from_node",
            "to_node",
            "kind",
            "pairs",
            "laying",
            "length_m",
            "in_service_from",
            "in_service_until",
        )
    }
    | {"geometry": "geom"},
    extras={
        "line_name": "text",
        "sector": "text",
        "owner": "text",
        "area": "text",
        "owner_id": "bigint",
        "line_id": "bigint",
        "area_id": "bigint",
    },
    extras_in_file={name: name for name in ("line_name", "sector", "owner", "area")},
    resolve=(
        "update staged set owner_id = o.id from huxian.organisation o where o.name = staged.owner",
        """
        update staged set line_id = l.id from huxian.cable_line l
        where l.source = staged.source and l.source_key = staged.line_name
        """,
        _area_by_name("area", "area_id", "in_service_from"),
    ),
    joined="(huxian.segment t join huxian.cable_line l on l.id = t.line_id)",
    match="t.line_id = s.line_id and t.sequence = s.sequence",
    key_text="s.line_name || ' ' || s.sequence",
    compared=_same(
        "from_node",
        "to_node",
        "kind",
        "pairs",
        "laying",
        "length_m",
        "in_service_from",
        "in_service_until",
    )
    | {"sector": ("s.sector", "l.sector_code")},
    inserted=(
        "line_id",
        "sequence",
        "from_node",
        "to_node",
        "kind",
        "pairs",
        "laying",
        "length_m",
        "in_service_from",
        "in_service_until",
        "area_id",
        "geom",
    ),
    before_insert=(
        *_ORGANISATIONS,
        """
        insert into huxian.cable_line (source, source_key, name, sector_code, owner_id, import_batch_id)
        select distinct on (s.line_name) s.source, s.line_name, s.line_name, s.sector, s.owner_id, :batch
        from staged s where s.line_id is null
        order by s.line_name, s.row_number
        """,
        """
        update staged set line_id = l.id from huxian.cable_line l
        where staged.line_id is null and l.source = staged.source and l.source_key = staged.line_name
        """,
    ),
)

_KEYED = "t.source = s.source and t.source_key = s.source_key"

STATIONS = Target(
    table="huxian.station",
    columns={
        "station_key": "source_key",
        "name": "name",
        "state": "state",
        "has_import_permit": "has_import_permit",
        "geometry": "geom",
    },
    extras={"area": "text", "area_id": "bigint"},
    extras_in_file={"area": "area"},
    resolve=(_area_by_name("area", "area_id", "null"),),
    joined="huxian.station t",
    match=_KEYED,
    key_text="s.source_key",
    compared=_same("name", "state", "has_import_permit"),
    inserted=("source", "source_key", "name", "state", "has_import_permit", "area_id", "geom"),
)

FACILITIES = Target(
    table="huxian.facility",
    columns={
        "facility_key": "source_key",
        "name": "name",
        "kind": "kind",
        "sector": "sector_code",
        "is_restricted": "is_restricted",
        "geometry": "geom",
    },
    extras={"area": "text", "area_id": "bigint", "owner": "text", "owner_id": "bigint"},
    extras_in_file={"area": "area", "owner": "owner"},
    resolve=(_area_by_name("area", "area_id", "null"),),
    joined="huxian.facility t",
    match=_KEYED,
    key_text="s.source_key",
    compared=_same("name", "kind", "sector_code", "is_restricted"),
    inserted=(
        "source",
        "source_key",
        "name",
        "kind",
        "sector_code",
        "is_restricted",
        "owner_id",
        "area_id",
        "geom",
    ),
    before_insert=_ORGANISATIONS,
)

PLACES = Target(
    table="huxian.place",
    columns={
        "place_key": "source_key",
        "name": "name",
        "other_names": "other_names",
        "kind": "kind",
        "place_precision": "place_precision",
        "radius_m": "radius_m",
        "valid_from": "valid_from",
        "valid_until": "valid_until",
        "geometry": "geom",
    },
    extras={"area": "text", "area_id": "bigint"},
    extras_in_file={"area": "area"},
    resolve=(
        "update staged set other_names = '{}' where other_names is null",
        _area_by_name("area", "area_id", "valid_from"),
    ),
    checks=(_unknown_area("area", "area_id", "area"),),
    joined="huxian.place t",
    match=_KEYED,
    key_text="s.source_key",
    compared=_same("name", "other_names", "kind", "place_precision", "radius_m", "valid_from", "valid_until"),
    inserted=(
        "source",
        "source_key",
        "name",
        "other_names",
        "kind",
        "place_precision",
        "radius_m",
        "valid_from",
        "valid_until",
        "area_id",
        "geom",
    ),
)

TICKETS = Target(
    table="huxian.ticket",
    columns={
        name: name
        for name in (
            "ticket_number",
            "kind",
            "occurred_from",
            "occurred_until",
            "date_precision",
            "place_text",
            "place_precision",
            "radius_m",
            "declared_datum",
            "cable_kind",
            "cause",
            "line_name",
            "note",
        )
    }
    | {"sector": "sector_code", "geometry": "geom"},
    extras={"area": "text", "area_id": "bigint", "located_area_id": "bigint"},
    extras_in_file={"area": "area", "located_area_id": "located_area_id"},
    resolve=(_area_by_name("area", "area_id", "occurred_from at time zone 'Asia/Shanghai'"), _LOCATED),
    checks=(_unknown_area("area", "area_id", "area"), *_PLACED_CHECKS),
    joined="huxian.ticket t",
    match="t.source = s.source and t.ticket_number = s.ticket_number",
    key_text="s.ticket_number",
    compared=_same("kind", "occurred_from", "occurred_until", "place_text", "cause", "line_name"),
    inserted=(
        "source",
        "ticket_number",
        "kind",
        "occurred_from",
        "occurred_until",
        "date_precision",
        "place_text",
        "place_precision",
        "radius_m",
        "declared_datum",
        "sector_code",
        "cable_kind",
        "cause",
        "area_id",
        "line_name",
        "note",
        "geom",
    ),
)

AREAS = Target(
    table="huxian.area",
    columns={
        name: name
        for name in (
            "level",
            "adcode",
            "name",
            "valid_from",
            "valid_until",
            "geometry_source",
            "is_redistributable",
        )
    }
    | {"geometry": "geom"},
    extras={"parent": "text", "parent_id": "bigint"},
    extras_in_file={"parent": "parent"},
    resolve=("update staged set geometry_source = source where coalesce(geometry_source, '') = ''",),
    checks=(
        Check(
            query="""
                select s.row_number from staged s
                where s.parent <> ''
                  and not exists (select 1 from staged p where s.parent in (p.name, p.adcode))
                  and not exists (select 1 from huxian.area p where s.parent in (p.name, p.adcode))
            """,
            column="parent",
            code="unknown_parent",
            message="no area of this name or code is stored or in this file",
        ),
        Check(
            query="""
                select s.row_number from staged s
                join huxian.area t on t.level = s.level and t.adcode = s.adcode
                  and not (t.name = s.name and t.valid_from is not distinct from s.valid_from)
                  and daterange(t.valid_from, t.valid_until) && daterange(s.valid_from, s.valid_until)
            """,
            column="adcode",
            code="overlapping_validity",
            message="another area with this code is stored for the same time",
        ),
    ),
    joined="huxian.area t",
    match=(
        "t.level = s.level and t.adcode is not distinct from s.adcode and t.name = s.name"
        " and t.valid_from is not distinct from s.valid_from"
    ),
    key_text="s.level || ' ' || s.name",
    compared=_same("valid_until"),
    inserted=(
        "level",
        "adcode",
        "name",
        "valid_from",
        "valid_until",
        "geometry_source",
        "is_redistributable",
        "geom",
    ),
    fixed_names=", extent, label_point",
    fixed_values=", 'same', ST_PointOnSurface(s.geom)",
    after_insert=(
        # The parent is of the next level up, by name or code, valid in the same time; in this file or stored.
        """
        update huxian.area set parent_id = found.id
        from (
            select t.id as child, min(p.id) as id
            from staged s
            join huxian.area t on t.import_batch_id = :batch and t.level = s.level and t.name = s.name
                and t.adcode is not distinct from s.adcode and t.valid_from is not distinct from s.valid_from
            join huxian.area p on p.level = case s.level when 'city' then 'province' when 'county' then 'city'
                when 'township' then 'county' end
                and (p.name = s.parent or p.adcode = s.parent)
                and daterange(p.valid_from, p.valid_until) && daterange(s.valid_from, s.valid_until)
            where s.parent <> ''
            group by t.id
            having count(*) = 1
        ) as found
        where area.id = found.child
        """,
    ),
)

TARGETS = {
    "incidents": INCIDENTS,
    "lines": LINES,
    "areas": AREAS,
    "stations": STATIONS,
    "facilities": FACILITIES,
    "places": PLACES,
    "tickets": TICKETS,
}
