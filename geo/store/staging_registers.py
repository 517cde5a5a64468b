"""Say where files of lines, areas, stations, facilities and places go: what makes a row the same."""

from __future__ import annotations

from geo.store.staging_target import Check, Target, area_by_name, same, unknown_area


def _owner(table: str) -> str:
    return f"(select o.name from huxian.organisation o where o.id = {table}.owner_id)"  # noqa: S608 - our own names


_ORGANISATIONS = (
    """
    insert into huxian.organisation (name, kind)
    select distinct owner, 'enterprise' from staged where owner <> ''
    on conflict do nothing
    """,
    "update staged set owner_id = o.id from huxian.organisation o where o.name = staged.owner",
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
            "responsible_unit",
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
        area_by_name("area", "area_id", "in_service_from"),
    ),
    checks=(
        Check(
            query="""
                select s.row_number from staged s
                join huxian.cable_line l on l.id = s.line_id
                left join huxian.organisation o on o.id = l.owner_id
                where (s.sector <> l.sector_code or (s.owner <> '' and s.owner is distinct from o.name))
                  and not exists (
                      select 1 from huxian.segment t where t.line_id = s.line_id and t.sequence = s.sequence)
            """,
            column="line_name",
            code="line_differs",
            message="the line is stored with another sector or owner",
        ),
    ),
    joined="(huxian.segment t join huxian.cable_line l on l.id = t.line_id)",
    match="t.line_id = s.line_id and t.sequence = s.sequence",
    key_text="s.line_name || ' ' || s.sequence",
    compared=same(
        "from_node",
        "to_node",
        "kind",
        "pairs",
        "laying",
        "length_m",
        "in_service_from",
        "in_service_until",
    )
    | {"sector": ("s.sector", "l.sector_code"), "owner": ("nullif(s.owner, '')", _owner("l"))}
    # A file that names no unit does not take away the one that is stored.
    | {"responsible_unit": ("coalesce(s.responsible_unit, t.responsible_unit)", "t.responsible_unit")},
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
        "responsible_unit",
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
    resolve=(area_by_name("area", "area_id", "null"),),
    joined="huxian.station t",
    match=_KEYED,
    key_text="s.source_key",
    compared=same("name", "state", "has_import_permit"),
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
    resolve=(area_by_name("area", "area_id", "null"),),
    joined="huxian.facility t",
    match=_KEYED,
    key_text="s.source_key",
    compared=same("name", "kind", "sector_code", "is_restricted")
    | {"owner": ("nullif(s.owner, '')", _owner("t"))},
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
        area_by_name("area", "area_id", "valid_from"),
    ),
    checks=(unknown_area("area", "area_id", "area"),),
    joined="huxian.place t",
    match=_KEYED,
    key_text="s.source_key",
    compared=same("name", "other_names", "kind", "place_precision", "radius_m", "valid_from", "valid_until"),
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
    compared=same("valid_until", "geometry_source", "is_redistributable"),
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
