"""Create what files are exchanged with: reports of imports, mappings, places, tickets, possible duplicates."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Rows of a batch go away only through this function: it belongs to the owner of the tables, knows every table
# that a batch fills, and what other rows hold on to stops it (foreign keys do not cascade here).
_UNDO = """
create function huxian.undo_import(wanted bigint, why text) returns bigint
language plpgsql security definer set search_path = huxian, public, pg_temp as $$
declare
    gone bigint := 0;
    part bigint;
    name text;
begin
    perform 1 from huxian.import_batch where id = wanted and undone_at is null for update;
    if not found then
        raise exception 'no such batch' using errcode = 'no_data_found';
    end if;
    -- A question nobody has answered yet goes with its incidents; a decision of a person stays and stops the undo.
    delete from huxian.duplicate_pair as pair
    using huxian.incident
    where incident.import_batch_id = wanted and incident.id in (pair.incident_a_id, pair.incident_b_id)
      and not exists (select 1 from huxian.duplicate_decision where pair_id = pair.id);
    delete from huxian.incident_status where incident_id in
        (select id from huxian.incident where import_batch_id = wanted);
    delete from huxian.loss_item where incident_id in
        (select id from huxian.incident where import_batch_id = wanted);
    foreach name in array array['ticket', 'incident', 'segment', 'cable_line', 'station', 'facility', 'place']
    loop
        execute format('delete from huxian.%I where import_batch_id = $1', name) using wanted;
        get diagnostics part = row_count;
        -- A file counts its segments; the lines they belong to come and go with them.
        gone := gone + case name when 'cable_line' then 0 else part end;
    end loop;
    delete from huxian.area where import_batch_id = wanted;
    get diagnostics part = row_count;
    gone := gone + part;
    update huxian.import_batch
    set undone_at = now(), undo_reason = why, undone_count = gone
    where id = wanted;
    return gone;
end
$$
"""


def _geom(kind: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(
        "geom",
        Geometry(
            geometry_type=kind,
            srid=4326,
            dimension=2,
            spatial_index=False,
            from_text="ST_GeomFromEWKT",
            name="geometry",
        ),
        nullable=nullable,
    )


def _batch(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["import_batch_id"], ["huxian.import_batch.id"], name=op.f(f"fk_{table}_import_batch_id")
    )


def _identity() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _change_batches() -> None:
    op.add_column(
        "import_batch",
        sa.Column("report", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        schema="huxian",
    )
    for column in (
        sa.Column("skipped_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("undone_count", sa.Integer(), nullable=True),
        sa.Column("undo_reason", sa.String(), nullable=True),
    ):
        op.add_column("import_batch", column, schema="huxian")
    op.add_column("area", sa.Column("import_batch_id", sa.BigInteger(), nullable=True), schema="huxian")
    op.create_foreign_key(
        op.f("fk_area_import_batch_id"),
        "area",
        "import_batch",
        ["import_batch_id"],
        ["id"],
        source_schema="huxian",
        referent_schema="huxian",
    )
    op.create_index(op.f("ix_area_import_batch_id"), "area", ["import_batch_id"], schema="huxian")


def _create_mapping() -> None:
    op.create_table(
        "column_mapping",
        _identity(),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("header", sa.String(), nullable=False),
        sa.Column("column_name", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_column_mapping")),
        sa.UniqueConstraint("source", "kind", "header", name=op.f("uq_column_mapping_source_kind_header")),
        schema="huxian",
    )


def _create_place() -> None:
    op.create_geospatial_table(
        "place",
        _identity(),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("other_names", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("place_precision", sa.String(), nullable=False),
        sa.Column("radius_m", sa.Double(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("import_batch_id", sa.BigInteger(), nullable=False),
        _geom("POINT"),
        sa.CheckConstraint(
            "kind in ('village','township','branch_office','street','km_post','facility','other')",
            name=op.f("ck_place_kind"),
        ),
        sa.CheckConstraint(
            "place_precision in ('point','section','village','township','county','city')",
            name=op.f("ck_place_place_precision"),
        ),
        sa.CheckConstraint("radius_m > 0 and radius_m < 1000000", name=op.f("ck_place_radius")),
        sa.CheckConstraint("valid_from < valid_until", name=op.f("ck_place_validity")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_place_name")),
        sa.ForeignKeyConstraint(["area_id"], ["huxian.area.id"], name=op.f("fk_place_area_id")),
        _batch("place"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        sa.UniqueConstraint("source", "source_key", name=op.f("uq_place_source_source_key")),
        schema="huxian",
    )
    op.create_geospatial_index(
        "ix_place_geom", "place", ["geom"], schema="huxian", postgresql_using="gist", postgresql_ops={}
    )
    for column in ("area_id", "import_batch_id", "name"):
        op.create_index(op.f(f"ix_place_{column}"), "place", [column], schema="huxian")
    op.create_index("ix_place_other_names", "place", ["other_names"], schema="huxian", postgresql_using="gin")


def _create_ticket() -> None:
    op.create_geospatial_table(
        "ticket",
        _identity(),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("ticket_number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("occurred_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("date_precision", sa.String(), nullable=False),
        sa.Column("place_text", sa.String(), nullable=False),
        sa.Column("place_precision", sa.String(), nullable=False),
        sa.Column("radius_m", sa.Double(), nullable=True),
        sa.Column("declared_datum", sa.String(), nullable=False),
        sa.Column("sector_code", sa.String(), nullable=True),
        sa.Column("cable_kind", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("line_name", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("import_batch_id", sa.BigInteger(), nullable=False),
        _geom("POINT", nullable=True),
        sa.CheckConstraint("kind in ('repair','alarm')", name=op.f("ck_ticket_kind")),
        sa.CheckConstraint(
            "cause in ('theft','damage','weather','fault','unknown')", name=op.f("ck_ticket_cause")
        ),
        sa.CheckConstraint("occurred_from < occurred_until", name=op.f("ck_ticket_interval")),
        sa.CheckConstraint("occurred_from >= '1949-10-01'", name=op.f("ck_ticket_era")),
        sa.CheckConstraint(
            "date_precision in ('minute','hour','night','day','month','interval')",
            name=op.f("ck_ticket_date_precision"),
        ),
        sa.CheckConstraint(
            "place_precision in ('point','section','village','township','county','city')",
            name=op.f("ck_ticket_place_precision"),
        ),
        sa.CheckConstraint("radius_m >= 0 and radius_m < 1000000", name=op.f("ck_ticket_radius")),
        sa.CheckConstraint("(geom is null) = (radius_m is null)", name=op.f("ck_ticket_located")),
        sa.CheckConstraint(
            "geom is null or geom && ST_MakeEnvelope(70, 0, 140, 60, 4326)", name=op.f("ck_ticket_geom")
        ),
        sa.CheckConstraint(
            "cable_kind in ('copper','optical','power','coaxial')", name=op.f("ck_ticket_cable_kind")
        ),
        sa.ForeignKeyConstraint(["area_id"], ["huxian.area.id"], name=op.f("fk_ticket_area_id")),
        sa.ForeignKeyConstraint(["sector_code"], ["huxian.sector.code"], name=op.f("fk_ticket_sector_code")),
        _batch("ticket"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("source", "ticket_number", name=op.f("uq_ticket_source_ticket_number")),
        schema="huxian",
    )
    op.create_geospatial_index(
        "ix_ticket_geom", "ticket", ["geom"], schema="huxian", postgresql_using="gist", postgresql_ops={}
    )
    for column in ("area_id", "import_batch_id"):
        op.create_index(op.f(f"ix_ticket_{column}"), "ticket", [column], schema="huxian")
    op.create_index("ix_ticket_occurred", "ticket", ["occurred_from", "occurred_until"], schema="huxian")


def _create_duplicates() -> None:
    op.create_table(
        "duplicate_pair",
        _identity(),
        sa.Column("incident_a_id", sa.BigInteger(), nullable=False),
        sa.Column("incident_b_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("incident_a_id < incident_b_id", name=op.f("ck_duplicate_pair_order")),
        sa.CheckConstraint("score between 0 and 1", name=op.f("ck_duplicate_pair_score")),
        sa.CheckConstraint("state in ('proposed','merged','kept')", name=op.f("ck_duplicate_pair_state")),
        sa.ForeignKeyConstraint(
            ["incident_a_id"], ["huxian.incident.id"], name=op.f("fk_duplicate_pair_incident_a_id")
        ),
        sa.ForeignKeyConstraint(
            ["incident_b_id"], ["huxian.incident.id"], name=op.f("fk_duplicate_pair_incident_b_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_pair")),
        sa.UniqueConstraint(
            "incident_a_id", "incident_b_id", name=op.f("uq_duplicate_pair_incident_a_id_incident_b_id")
        ),
        schema="huxian",
    )
    op.create_index(
        op.f("ix_duplicate_pair_incident_b_id"), "duplicate_pair", ["incident_b_id"], schema="huxian"
    )
    op.create_table(
        "duplicate_decision",
        _identity(),
        sa.Column("pair_id", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("kept_incident_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("body_sha256", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "decision in ('merged','kept','reopened')", name=op.f("ck_duplicate_decision_decision")
        ),
        sa.CheckConstraint(
            "(decision = 'merged') = (kept_incident_id is not null)",
            name=op.f("ck_duplicate_decision_kept"),
        ),
        sa.CheckConstraint(
            "(idempotency_key is null) = (body_sha256 is null)", name=op.f("ck_duplicate_decision_key")
        ),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_duplicate_decision_idempotency_key")),
        sa.ForeignKeyConstraint(
            ["kept_incident_id"], ["huxian.incident.id"], name=op.f("fk_duplicate_decision_kept_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["huxian.duplicate_pair.id"], name=op.f("fk_duplicate_decision_pair_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_decision")),
        schema="huxian",
    )
    op.create_index(op.f("ix_duplicate_decision_pair_id"), "duplicate_decision", ["pair_id"], schema="huxian")


def upgrade() -> None:
    op.execute("set local lock_timeout = '10s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("set local role huxian_owner")
    _change_batches()
    _create_mapping()
    _create_place()
    _create_ticket()
    _create_duplicates()
    op.execute(_UNDO)
    op.execute("revoke all on function huxian.undo_import(bigint, text) from public")
    op.execute("grant execute on function huxian.undo_import(bigint, text) to huxian_app")
    op.execute("reset role")


def downgrade() -> None:
    op.execute("drop function huxian.undo_import(bigint, text)")
    op.drop_table("duplicate_decision", schema="huxian")
    op.drop_table("duplicate_pair", schema="huxian")
    op.drop_geospatial_table("ticket", schema="huxian")
    op.drop_geospatial_table("place", schema="huxian")
    op.drop_table("column_mapping", schema="huxian")
    op.drop_column("area", "import_batch_id", schema="huxian")
    for column in ("report", "skipped_count", "undone_count", "undo_reason"):
        op.drop_column("import_batch", column, schema="huxian")
