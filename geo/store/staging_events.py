"""Say where files of incidents and tickets go: what makes a row the same, and what contradicts it."""

from __future__ import annotations

from geo.store.staging_target import Check, Target, area_by_name, same, unknown_area

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

_LAST_STATUS = "(select i.status from huxian.incident_status i where i.incident_id = t.id order by i.since_on desc, i.id desc limit 1)"

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
        area_by_name("record_area", "record_area_id", "occurred_from at time zone 'Asia/Shanghai'"),
        area_by_name("area", "area_id", "occurred_from at time zone 'Asia/Shanghai'"),
        _FLAG_OUTSIDE,
        _LOCATED,
    ),
    checks=(
        unknown_area("record_area", "record_area_id", "record_area"),
        unknown_area("area", "area_id", "area"),
        *_PLACED_CHECKS,
    ),
    joined="huxian.incident t",
    match=(
        "t.source = s.source and t.case_number = s.case_number"
        " and coalesce(t.record_area_id, 0) = coalesce(s.record_area_id, 0)"
    ),
    key_text="s.case_number",
    compared=same(
        "occurred_from",
        "occurred_until",
        "place_text",
        "place_precision",
        "radius_m",
        "category_code",
        "sector_code",
        "origin",
        "direct_loss_yuan",
        "loss_qualifier",
        "outage_hours",
        "note",
    )
    | {"status": ("s.status", _LAST_STATUS)},
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
    resolve=(area_by_name("area", "area_id", "occurred_from at time zone 'Asia/Shanghai'"), _LOCATED),
    checks=(unknown_area("area", "area_id", "area"), *_PLACED_CHECKS),
    joined="huxian.ticket t",
    match="t.source = s.source and t.ticket_number = s.ticket_number",
    key_text="s.ticket_number",
    compared=same(
        "kind",
        "occurred_from",
        "occurred_until",
        "place_text",
        "place_precision",
        "radius_m",
        "sector_code",
        "cable_kind",
        "cause",
        "line_name",
        "note",
    ),
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
