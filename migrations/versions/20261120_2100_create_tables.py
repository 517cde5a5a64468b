"""Create extensions and the first tables, owned by a role that never logs in."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '10s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("create extension if not exists postgis")
    op.execute("create extension if not exists btree_gist")
    op.execute("grant select on huxian.alembic_version to huxian_app")
    op.execute("set local role huxian_owner")
    # No DELETE: rows are voided with a reason, batches are undone by a function of their own.
    op.execute(
        "alter default privileges in schema huxian grant select, insert, update on tables to huxian_app"
    )
    op.create_geospatial_table(
        "area",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("adcode", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("successor_id", sa.BigInteger(), nullable=True),
        sa.Column("extent", sa.String(), nullable=False),
        sa.Column("extent_note", sa.String(), nullable=True),
        sa.Column("extent_note_en", sa.String(), nullable=True),
        sa.Column("geometry_source", sa.String(), nullable=True),
        sa.Column("is_redistributable", sa.Boolean(), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column(
            "label_point",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        postgresql.ExcludeConstraint(
            (sa.column("level"), "="),
            (sa.column("adcode"), "="),
            (sa.text("daterange(valid_from, valid_until, '[)')"), "&&"),
            using="gist",
            name="ex_area_code_validity",
        ),
        sa.CheckConstraint("adcode ~ '^[0-9]{6}([0-9]{3})?$'", name=op.f("ck_area_adcode")),
        sa.CheckConstraint(
            "extent in ('same','approximately_same','differs','unknown')", name=op.f("ck_area_extent")
        ),
        sa.CheckConstraint("level in ('province','city','county','township')", name=op.f("ck_area_level")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_area_name")),
        sa.CheckConstraint("valid_from < valid_until", name=op.f("ck_area_validity")),
        sa.ForeignKeyConstraint(["parent_id"], ["huxian.area.id"], name=op.f("fk_area_parent_id")),
        sa.ForeignKeyConstraint(["successor_id"], ["huxian.area.id"], name=op.f("fk_area_successor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area")),
        sa.UniqueConstraint(
            "level",
            "adcode",
            "name",
            "valid_from",
            name=op.f("uq_area_level_adcode_name_valid_from"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="huxian",
    )
    op.create_geospatial_index(
        "ix_area_geom",
        "area",
        ["geom"],
        unique=False,
        schema="huxian",
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(op.f("ix_area_parent_id"), "area", ["parent_id"], unique=False, schema="huxian")
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint("start_on < until_on", name=op.f("ck_campaign_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("code", name=op.f("uq_campaign_code")),
        schema="huxian",
    )
    op.create_table(
        "category",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("parent_code", sa.String(), nullable=True),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("sort_order", sa.Integer(), nullable=False),
        sa.Column("cable_kind", sa.String(), nullable=True),
        sa.CheckConstraint(
            "cable_kind in ('copper','optical','power','coaxial')", name=op.f("ck_category_cable_kind")
        ),
        sa.CheckConstraint("code ~ '^[a-z][a-z0-9_]{1,40}$'", name=op.f("ck_category_code")),
        sa.ForeignKeyConstraint(
            ["parent_code"], ["huxian.category.code"], name=op.f("fk_category_parent_code")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_category")),
        schema="huxian",
    )
    op.create_table(
        "dataset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=True),
        sa.Column("truth", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind in ('real','demo')", name=op.f("ck_dataset_kind")),
        sa.CheckConstraint("id = 1", name=op.f("ck_dataset_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset")),
        schema="huxian",
    )
    op.create_table(
        "import_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("declared_datum", sa.String(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_import_batch_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
        schema="huxian",
    )
    op.create_index(
        "uq_import_batch_file",
        "import_batch",
        ["kind", "source", "sha256"],
        unique=True,
        schema="huxian",
        postgresql_where=sa.text("undone_at is null"),
    )
    op.create_table(
        "indicator",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_indicator")),
        schema="huxian",
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind in ('enterprise','police','government','station')", name=op.f("ck_organisation_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("name", name=op.f("uq_organisation_name")),
        schema="huxian",
    )
    op.create_table(
        "run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("done_steps", sa.Integer(), nullable=False),
        sa.Column("total_steps", sa.Integer(), nullable=False),
        sa.Column("is_cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("input_count", sa.Integer(), nullable=True),
        sa.Column("input_hash", sa.String(), nullable=True),
        sa.Column("dataset_version", sa.Integer(), nullable=True),
        sa.Column("software_version", sa.String(), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("result_hash", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'done') = (result is not null)", name=op.f("ck_run_result")),
        sa.CheckConstraint(
            "state in ('queued','running','done','failed','cancelled')", name=op.f("ck_run_state")
        ),
        sa.CheckConstraint("done_steps between 0 and greatest(total_steps, 0)", name=op.f("ck_run_steps")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        schema="huxian",
    )
    op.create_index("ix_run_request", "run", ["request_hash", "id"], unique=False, schema="huxian")
    op.create_index(
        "uq_run_live",
        "run",
        ["request_hash"],
        unique=True,
        schema="huxian",
        postgresql_where=sa.text("state in ('queued','running')"),
    )
    op.create_table(
        "sector",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("sort_order", sa.Integer(), nullable=False),
        sa.CheckConstraint("code ~ '^[a-z][a-z0-9_]{1,40}$'", name=op.f("ck_sector_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sector")),
        schema="huxian",
    )
    op.create_table(
        "border_pair",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("area_a_id", sa.BigInteger(), nullable=False),
        sa.Column("area_b_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_area_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_basis", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint("lead_basis in ('stated','inferred')", name=op.f("ck_border_pair_lead_basis")),
        sa.CheckConstraint(
            "area_a_id <> area_b_id and lead_area_id in (area_a_id, area_b_id)",
            name=op.f("ck_border_pair_areas"),
        ),
        sa.ForeignKeyConstraint(["area_a_id"], ["huxian.area.id"], name=op.f("fk_border_pair_area_a_id")),
        sa.ForeignKeyConstraint(["area_b_id"], ["huxian.area.id"], name=op.f("fk_border_pair_area_b_id")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["huxian.campaign.id"], name=op.f("fk_border_pair_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["lead_area_id"], ["huxian.area.id"], name=op.f("fk_border_pair_lead_area_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_border_pair")),
        sa.UniqueConstraint(
            "campaign_id",
            "area_a_id",
            "area_b_id",
            name=op.f("uq_border_pair_campaign_id_area_a_id_area_b_id"),
        ),
        schema="huxian",
    )
    op.create_index(
        op.f("ix_border_pair_campaign_id"), "border_pair", ["campaign_id"], unique=False, schema="huxian"
    )
    op.create_table(
        "cable_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sector_code", sa.String(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("import_batch_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_batch_id"], ["huxian.import_batch.id"], name=op.f("fk_cable_line_import_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["huxian.organisation.id"], name=op.f("fk_cable_line_owner_id")
        ),
        sa.ForeignKeyConstraint(
            ["sector_code"], ["huxian.sector.code"], name=op.f("fk_cable_line_sector_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cable_line")),
        sa.UniqueConstraint("source", "source_key", name=op.f("uq_cable_line_source_source_key")),
        schema="huxian",
    )
    op.create_index(
        op.f("ix_cable_line_import_batch_id"),
        "cable_line",
        ["import_batch_id"],
        unique=False,
        schema="huxian",
    )
    op.create_table(
        "campaign_area",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint(
            "role in ('key_national','key_provincial','pilot','scrap_town')",
            name=op.f("ck_campaign_area_role"),
        ),
        sa.ForeignKeyConstraint(["area_id"], ["huxian.area.id"], name=op.f("fk_campaign_area_area_id")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["huxian.campaign.id"], name=op.f("fk_campaign_area_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_area")),
        sa.UniqueConstraint(
            "campaign_id", "area_id", "role", name=op.f("uq_campaign_area_campaign_id_area_id_role")
        ),
        schema="huxian",
    )
    op.create_index(
        op.f("ix_campaign_area_campaign_id"), "campaign_area", ["campaign_id"], unique=False, schema="huxian"
    )
    op.create_table(
        "campaign_phase",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("date_precision", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint("kind in ('phase','sweep')", name=op.f("ck_campaign_phase_kind")),
        sa.CheckConstraint("start_on < until_on", name=op.f("ck_campaign_phase_period")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["huxian.campaign.id"], name=op.f("fk_campaign_phase_campaign_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_phase")),
        sa.UniqueConstraint(
            "campaign_id", "kind", "start_on", name=op.f("uq_campaign_phase_campaign_id_kind_start_on")
        ),
        schema="huxian",
    )
    op.create_index(
        op.f("ix_campaign_phase_campaign_id"),
        "campaign_phase",
        ["campaign_id"],
        unique=False,
        schema="huxian",
    )
    op.create_table(
        "campaign_target",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("indicator_code", sa.String(), nullable=False),
        sa.Column("comparison", sa.String(), nullable=False),
        sa.Column("value", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("as_written", sa.String(), nullable=False),
        sa.CheckConstraint(
            "comparison in ('at_most','at_least','equal')", name=op.f("ck_campaign_target_comparison")
        ),
        sa.ForeignKeyConstraint(["area_id"], ["huxian.area.id"], name=op.f("fk_campaign_target_area_id")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["huxian.campaign.id"], name=op.f("fk_campaign_target_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["indicator_code"], ["huxian.indicator.code"], name=op.f("fk_campaign_target_indicator_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_target")),
        sa.UniqueConstraint(
            "campaign_id",
            "area_id",
            "indicator_code",
            name=op.f("uq_campaign_target_campaign_id_area_id_indicator_code"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="huxian",
    )
    op.create_index(
        op.f("ix_campaign_target_campaign_id"),
        "campaign_target",
        ["campaign_id"],
        unique=False,
        schema="huxian",
    )
    op.create_geospatial_table(
        "facility",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sector_code", sa.String(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("is_restricted", sa.Boolean(), nullable=False),
        sa.Column("import_batch_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["area_id"], ["huxian.area.id"], name=op.f("fk_facility_area_id")),
        sa.ForeignKeyConstraint(
            ["import_batch_id"], ["huxian.import_batch.id"], name=op.f("fk_facility_import_batch_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["huxian.organisation.id"], name=op.f("fk_facility_owner_id")),
        sa.ForeignKeyConstraint(
            ["sector_code"], ["huxian.sector.code"], name=op.f("fk_facility_sector_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facility")),
        sa.UniqueConstraint("source", "source_key", name=op.f("uq_facility_source_source_key")),
        schema="huxian",
    )
    op.create_index(op.f("ix_facility_area_id"), "facility", ["area_id"], unique=False, schema="huxian")
    op.create_geospatial_index(
        "ix_facility_geom",
        "facility",
        ["geom"],
        unique=False,
        schema="huxian",
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(
        op.f("ix_facility_import_batch_id"), "facility", ["import_batch_id"], unique=False, schema="huxian"
    )
    op.create_geospatial_table(
        "station",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("has_import_permit", sa.Boolean(), nullable=False),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("import_batch_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state in ('filed','changed','missing','closed','unknown')", name=op.f("ck_station_state")
        ),
        sa.ForeignKeyConstraint(["area_id"], ["huxian.area.id"], name=op.f("fk_station_area_id")),
        sa.ForeignKeyConstraint(
            ["import_batch_id"], ["huxian.import_batch.id"], name=op.f("fk_station_import_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station")),
        sa.UniqueConstraint("source", "source_key", name=op.f("uq_station_source_source_key")),
        schema="huxian",
    )
    op.create_index(op.f("ix_station_area_id"), "station", ["area_id"], unique=False, schema="huxian")
    op.create_geospatial_index(
        "ix_station_geom",
        "station",
        ["geom"],
        unique=False,
        schema="huxian",
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(
        op.f("ix_station_import_batch_id"), "station", ["import_batch_id"], unique=False, schema="huxian"
    )
    op.create_geospatial_table(
        "segment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("from_node", sa.String(), nullable=False),
        sa.Column("to_node", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("laying", sa.String(), nullable=False),
        sa.Column("length_m", sa.Numeric(precision=10, scale=1), nullable=False),
        sa.Column("in_service_from", sa.Date(), nullable=True),
        sa.Column("in_service_until", sa.Date(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("import_batch_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="LINESTRING",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("kind in ('copper','optical','power','coaxial')", name=op.f("ck_segment_kind")),
        sa.CheckConstraint("laying in ('aerial','buried','duct')", name=op.f("ck_segment_laying")),
        sa.CheckConstraint("ST_IsValid(geom) and ST_Length(geom) > 0", name=op.f("ck_segment_geom")),
        sa.CheckConstraint("in_service_from < in_service_until", name=op.f("ck_segment_service")),
        sa.CheckConstraint("length_m > 0 and length_m < 1000000", name=op.f("ck_segment_length")),
        sa.CheckConstraint("pairs between 0 and 10000", name=op.f("ck_segment_pairs")),
        sa.ForeignKeyConstraint(["area_id"], ["huxian.area.id"], name=op.f("fk_segment_area_id")),
        sa.ForeignKeyConstraint(
            ["import_batch_id"], ["huxian.import_batch.id"], name=op.f("fk_segment_import_batch_id")
        ),
        sa.ForeignKeyConstraint(["line_id"], ["huxian.cable_line.id"], name=op.f("fk_segment_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint("line_id", "sequence", name=op.f("uq_segment_line_id_sequence")),
        schema="huxian",
    )
    op.create_index(op.f("ix_segment_area_id"), "segment", ["area_id"], unique=False, schema="huxian")
    op.create_geospatial_index(
        "ix_segment_geom",
        "segment",
        ["geom"],
        unique=False,
        schema="huxian",
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(
        op.f("ix_segment_import_batch_id"), "segment", ["import_batch_id"], unique=False, schema="huxian"
    )
    op.create_geospatial_table(
        "incident",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("case_number", sa.String(), nullable=False),
        sa.Column("record_area_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("occurred_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("date_precision", sa.String(), nullable=False),
        sa.Column("place_text", sa.String(), nullable=False),
        sa.Column("place_precision", sa.String(), nullable=False),
        sa.Column("radius_m", sa.Double(), nullable=True),
        sa.Column("declared_datum", sa.String(), nullable=False),
        sa.Column("category_code", sa.String(), nullable=False),
        sa.Column("sector_code", sa.String(), nullable=True),
        sa.Column("facility_id", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("direct_loss_yuan", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("loss_qualifier", sa.String(), nullable=True),
        sa.Column("outage_hours", sa.Numeric(precision=8, scale=2), nullable=True),
        sa.Column("outage_qualifier", sa.String(), nullable=True),
        sa.Column("outage_lines", sa.Integer(), nullable=True),
        sa.Column("outage_text", sa.String(), nullable=True),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.Column("segment_measure_m", sa.Double(), nullable=True),
        sa.Column("snap_residual_m", sa.Double(), nullable=True),
        sa.Column("flags", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("source_text", sa.String(), nullable=True),
        sa.Column("is_census", sa.Boolean(), nullable=False),
        sa.Column("import_batch_id", sa.BigInteger(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column(
            "extent_geom",
            Geometry(
                srid=4326, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "date_precision in ('minute','hour','night','day','month','interval')",
            name=op.f("ck_incident_date_precision"),
        ),
        sa.CheckConstraint(
            "loss_qualifier in ('exact','at_least','approx')", name=op.f("ck_incident_loss_qualifier")
        ),
        sa.CheckConstraint("occurred_from >= '1949-10-01'", name=op.f("ck_incident_era")),
        sa.CheckConstraint("origin in ('reported','patrol')", name=op.f("ck_incident_origin")),
        sa.CheckConstraint(
            "place_precision in ('point','section','village','township','county','city')",
            name=op.f("ck_incident_place_precision"),
        ),
        sa.CheckConstraint("(geom is null) = (radius_m is null)", name=op.f("ck_incident_located")),
        sa.CheckConstraint("(voided_at is null) = (void_reason is null)", name=op.f("ck_incident_void")),
        sa.CheckConstraint("direct_loss_yuan >= 0", name=op.f("ck_incident_loss")),
        sa.CheckConstraint(
            "geom is null or geom && ST_MakeEnvelope(70, 0, 140, 60, 4326)", name=op.f("ck_incident_geom")
        ),
        sa.CheckConstraint("occurred_from < occurred_until", name=op.f("ck_incident_interval")),
        sa.CheckConstraint("radius_m >= 0 and radius_m < 1000000", name=op.f("ck_incident_radius")),
        sa.ForeignKeyConstraint(["area_id"], ["huxian.area.id"], name=op.f("fk_incident_area_id")),
        sa.ForeignKeyConstraint(
            ["category_code"], ["huxian.category.code"], name=op.f("fk_incident_category_code")
        ),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["huxian.facility.id"], name=op.f("fk_incident_facility_id")
        ),
        sa.ForeignKeyConstraint(
            ["import_batch_id"], ["huxian.import_batch.id"], name=op.f("fk_incident_import_batch_id")
        ),
        sa.ForeignKeyConstraint(
            ["record_area_id"], ["huxian.area.id"], name=op.f("fk_incident_record_area_id")
        ),
        sa.ForeignKeyConstraint(
            ["sector_code"], ["huxian.sector.code"], name=op.f("fk_incident_sector_code")
        ),
        sa.ForeignKeyConstraint(["segment_id"], ["huxian.segment.id"], name=op.f("fk_incident_segment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint(
            "record_area_id",
            "source",
            "case_number",
            name=op.f("uq_incident_record_area_id_source_case_number"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="huxian",
    )
    op.create_index(op.f("ix_incident_area_id"), "incident", ["area_id"], unique=False, schema="huxian")
    op.create_geospatial_index(
        "ix_incident_geom",
        "incident",
        ["geom"],
        unique=False,
        schema="huxian",
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index(
        op.f("ix_incident_import_batch_id"), "incident", ["import_batch_id"], unique=False, schema="huxian"
    )
    op.create_index(
        "ix_incident_occurred", "incident", ["occurred_from", "occurred_until"], unique=False, schema="huxian"
    )
    op.create_index(op.f("ix_incident_segment_id"), "incident", ["segment_id"], unique=False, schema="huxian")
    op.create_table(
        "incident_status",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "status in ('recorded','open','cleared','withdrawn')", name=op.f("ck_incident_status_status")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["huxian.incident.id"],
            name=op.f("fk_incident_status_incident_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_status")),
        sa.UniqueConstraint(
            "incident_id", "status", "since_on", name=op.f("uq_incident_status_incident_id_status_since_on")
        ),
        schema="huxian",
    )
    op.create_index(
        op.f("ix_incident_status_incident_id"),
        "incident_status",
        ["incident_id"],
        unique=False,
        schema="huxian",
    )
    op.create_table(
        "loss_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=True),
        sa.Column("length_m", sa.Numeric(precision=10, scale=1), nullable=True),
        sa.Column("length_qualifier", sa.String(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("spans", sa.Integer(), nullable=True),
        sa.Column("weight_kg", sa.Numeric(precision=12, scale=1), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("as_written", sa.String(), nullable=True),
        sa.CheckConstraint("action in ('stolen','destroyed')", name=op.f("ck_loss_item_action")),
        sa.CheckConstraint(
            "pairs > 0 and length_m > 0 and count > 0 and weight_kg > 0", name=op.f("ck_loss_item_positive")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["huxian.incident.id"], name=op.f("fk_loss_item_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loss_item")),
        schema="huxian",
    )
    op.create_index(
        op.f("ix_loss_item_incident_id"), "loss_item", ["incident_id"], unique=False, schema="huxian"
    )
    op.create_table(
        "supervised_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("item_key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("supervised_by", sa.String(), nullable=False),
        sa.Column("supervised_year", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=True),
        sa.Column("area_id", sa.BigInteger(), nullable=True),
        sa.Column("responsible_unit_id", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_on", sa.Date(), nullable=True),
        sa.CheckConstraint("kind in ('case','area','problem')", name=op.f("ck_supervised_item_kind")),
        sa.CheckConstraint("state in ('open','cleared','withdrawn')", name=op.f("ck_supervised_item_state")),
        sa.ForeignKeyConstraint(["area_id"], ["huxian.area.id"], name=op.f("fk_supervised_item_area_id")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["huxian.campaign.id"], name=op.f("fk_supervised_item_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["huxian.incident.id"], name=op.f("fk_supervised_item_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["responsible_unit_id"],
            ["huxian.organisation.id"],
            name=op.f("fk_supervised_item_responsible_unit_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supervised_item")),
        sa.UniqueConstraint("campaign_id", "item_key", name=op.f("uq_supervised_item_campaign_id_item_key")),
        schema="huxian",
    )
    op.create_index(
        op.f("ix_supervised_item_campaign_id"),
        "supervised_item",
        ["campaign_id"],
        unique=False,
        schema="huxian",
    )
    op.create_index(
        op.f("ix_supervised_item_incident_id"),
        "supervised_item",
        ["incident_id"],
        unique=False,
        schema="huxian",
    )
    op.execute("reset role")


def downgrade() -> None:
    op.drop_index(op.f("ix_supervised_item_incident_id"), table_name="supervised_item", schema="huxian")
    op.drop_index(op.f("ix_supervised_item_campaign_id"), table_name="supervised_item", schema="huxian")
    op.drop_table("supervised_item", schema="huxian")
    op.drop_index(op.f("ix_loss_item_incident_id"), table_name="loss_item", schema="huxian")
    op.drop_table("loss_item", schema="huxian")
    op.drop_index(op.f("ix_incident_status_incident_id"), table_name="incident_status", schema="huxian")
    op.drop_table("incident_status", schema="huxian")
    op.drop_index(op.f("ix_incident_segment_id"), table_name="incident", schema="huxian")
    op.drop_index("ix_incident_occurred", table_name="incident", schema="huxian")
    op.drop_index(op.f("ix_incident_import_batch_id"), table_name="incident", schema="huxian")
    op.drop_geospatial_index(
        "ix_incident_geom",
        table_name="incident",
        schema="huxian",
        postgresql_using="gist",
        column_name="geom",
    )
    op.drop_index(op.f("ix_incident_area_id"), table_name="incident", schema="huxian")
    op.drop_geospatial_table("incident", schema="huxian")
    op.drop_index(op.f("ix_segment_import_batch_id"), table_name="segment", schema="huxian")
    op.drop_geospatial_index(
        "ix_segment_geom", table_name="segment", schema="huxian", postgresql_using="gist", column_name="geom"
    )
    op.drop_index(op.f("ix_segment_area_id"), table_name="segment", schema="huxian")
    op.drop_geospatial_table("segment", schema="huxian")
    op.drop_index(op.f("ix_station_import_batch_id"), table_name="station", schema="huxian")
    op.drop_geospatial_index(
        "ix_station_geom", table_name="station", schema="huxian", postgresql_using="gist", column_name="geom"
    )
    op.drop_index(op.f("ix_station_area_id"), table_name="station", schema="huxian")
    op.drop_geospatial_table("station", schema="huxian")
    op.drop_index(op.f("ix_facility_import_batch_id"), table_name="facility", schema="huxian")
    op.drop_geospatial_index(
        "ix_facility_geom",
        table_name="facility",
        schema="huxian",
        postgresql_using="gist",
        column_name="geom",
    )
    op.drop_index(op.f("ix_facility_area_id"), table_name="facility", schema="huxian")
    op.drop_geospatial_table("facility", schema="huxian")
    op.drop_index(op.f("ix_campaign_target_campaign_id"), table_name="campaign_target", schema="huxian")
    op.drop_table("campaign_target", schema="huxian")
    op.drop_index(op.f("ix_campaign_phase_campaign_id"), table_name="campaign_phase", schema="huxian")
    op.drop_table("campaign_phase", schema="huxian")
    op.drop_index(op.f("ix_campaign_area_campaign_id"), table_name="campaign_area", schema="huxian")
    op.drop_table("campaign_area", schema="huxian")
    op.drop_index(op.f("ix_cable_line_import_batch_id"), table_name="cable_line", schema="huxian")
    op.drop_table("cable_line", schema="huxian")
    op.drop_index(op.f("ix_border_pair_campaign_id"), table_name="border_pair", schema="huxian")
    op.drop_table("border_pair", schema="huxian")
    op.drop_table("sector", schema="huxian")
    op.drop_index(
        "uq_run_live",
        table_name="run",
        schema="huxian",
        postgresql_where=sa.text("state in ('queued','running')"),
    )
    op.drop_index("ix_run_request", table_name="run", schema="huxian")
    op.drop_table("run", schema="huxian")
    op.drop_table("organisation", schema="huxian")
    op.drop_table("indicator", schema="huxian")
    op.drop_index(
        "uq_import_batch_file",
        table_name="import_batch",
        schema="huxian",
        postgresql_where=sa.text("undone_at is null"),
    )
    op.drop_table("import_batch", schema="huxian")
    op.drop_table("dataset", schema="huxian")
    op.drop_table("category", schema="huxian")
    op.drop_table("campaign", schema="huxian")
    op.drop_index(op.f("ix_area_parent_id"), table_name="area", schema="huxian")
    op.drop_geospatial_index(
        "ix_area_geom", table_name="area", schema="huxian", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("area", schema="huxian")
    op.execute(
        "alter default privileges for role huxian_owner in schema huxian revoke all on tables from huxian_app"
    )
