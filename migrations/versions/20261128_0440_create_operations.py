"""Create joint operations: cities and their answers, zones, units, what happened, and the overlay."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ONLY_ADDED_TO = ("joint_operation_change", "joint_operation_mark_version")


def _identity() -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _key(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _moment(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column:
    given = {} if default is None else {"server_default": sa.text(default)}
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, **given)


def _geom(kind: str) -> sa.Column:
    return sa.Column(
        "geom",
        Geometry(
            geometry_type=kind,
            srid=4326,
            dimension=2,
            spatial_index=False,
            from_text="ST_GeomFromEWKT",
            name="geometry",
            nullable=False,
        ),
        nullable=False,
    )


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"huxian.{target}.id"], name=op.f(f"fk_{table}_{column}"))


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _create_operation() -> None:
    table = "joint_operation"
    op.create_table(
        table,
        _identity(),
        sa.Column("title", sa.String(), nullable=False),
        _key("lead_area_id", nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("from_hour", sa.SmallInteger(), nullable=False),
        sa.Column("until_hour", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_change", sa.Integer(), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=True),
        _key("run_id", nullable=True),
        sa.Column("zone_rank", sa.Integer(), nullable=True),
        _key("proposer_area_id"),
        _moment("created_at", "now()"),
        _moment("started_at", nullable=True),
        _moment("ended_at", nullable=True),
        _check(table, "title", "title <> ''"),
        _check(table, "days", "from_on < until_on"),
        _check(
            table,
            "hours",
            "from_hour between 0 and 23 and until_hour between 1 and 24 and from_hour <> until_hour",
        ),
        _check(table, "state", "state in ('proposed','agreed','running','ended','declined','withdrawn')"),
        _check(table, "valid", "(valid is not null) = (state in ('running','ended'))"),
        _check(table, "started", "(started_at is not null) = (state in ('running','ended'))"),
        _check(table, "ended", "(ended_at is not null) = (state = 'ended')"),
        _check(table, "source", "(run_id is null) = (zone_rank is null)"),
        _foreign(table, "lead_area_id", "area"),
        _foreign(table, "proposer_area_id", "area"),
        _foreign(table, "run_id", "run"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_operation")),
        schema="huxian",
    )
    op.create_index("ix_joint_operation_state", table, ["state", "id"], schema="huxian")
    op.create_index("ix_joint_operation_valid", table, ["valid"], schema="huxian", postgresql_using="gist")


def _create_city() -> None:
    table = "joint_operation_city"
    op.create_table(
        table,
        _identity(),
        _key("operation_id"),
        _key("area_id"),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("answered_by", sa.String(), nullable=True),
        _moment("answered_at", nullable=True),
        _check(table, "answer", "answer in ('asked','agreed','declined')"),
        _check(
            table,
            "answered",
            "(answer = 'asked') = (answered_at is null) and (answered_at is null) = (answered_by is null)",
        ),
        _foreign(table, "operation_id", "joint_operation"),
        _foreign(table, "area_id", "area"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_operation_city")),
        sa.UniqueConstraint(
            "operation_id", "area_id", name=op.f("uq_joint_operation_city_operation_id_area_id")
        ),
        schema="huxian",
    )
    op.create_index(op.f("ix_joint_operation_city_area_id"), table, ["area_id"], schema="huxian")


def _create_zone() -> None:
    table = "joint_operation_zone"
    op.create_geospatial_table(
        table,
        _identity(),
        _key("operation_id"),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        _moment("replaced_at", nullable=True),
        _geom("MULTIPOLYGON"),
        _check(table, "rank", "rank > 0"),
        _check(table, "label", "label <> ''"),
        _check(table, "geom", "ST_IsValid(geom) and not ST_IsEmpty(geom)"),
        _foreign(table, "operation_id", "joint_operation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_operation_zone")),
        schema="huxian",
    )
    _geospatial_index(table)
    op.create_index(op.f("ix_joint_operation_zone_operation_id"), table, ["operation_id"], schema="huxian")


def _geospatial_index(table: str) -> None:
    op.create_geospatial_index(
        f"ix_{table}_geom", table, ["geom"], schema="huxian", postgresql_using="gist", postgresql_ops={}
    )


def _create_unit() -> None:
    table = "joint_operation_unit"
    op.create_table(
        table,
        _identity(),
        _key("operation_id"),
        _key("area_id"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=True),
        _moment("added_at", "now()"),
        _moment("removed_at", nullable=True),
        _check(table, "name", "name <> ''"),
        _check(
            table,
            "role",
            "role in ('lead','ambush','patrol','technical','checkpoint','liaison','reserve','other')",
        ),
        _check(table, "contact", "contact ~ '^[0-9+() -]{3,24}$'"),
        _foreign(table, "operation_id", "joint_operation"),
        _foreign(table, "area_id", "area"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_operation_unit")),
        schema="huxian",
    )
    op.create_index(op.f("ix_joint_operation_unit_operation_id"), table, ["operation_id"], schema="huxian")


def _create_change() -> None:
    table = "joint_operation_change"
    op.create_table(
        table,
        _identity(),
        _key("operation_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        _moment("at", "clock_timestamp()"),
        _moment("happened_at", nullable=True),
        _key("area_id", nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("body_sha256", sa.String(), nullable=True),
        _check(
            table,
            "kind",
            "kind in ('proposed','agreed','all_agreed','declined','withdrawn','changed','agreements_reset',"
            "'started','ended','unit_added','unit_removed','entry','mark_created','mark_changed','mark_removed')",
        ),
        _check(table, "number", "number > 0"),
        _check(table, "key", "(idempotency_key is null) = (body_sha256 is null)"),
        _check(table, "happened", "happened_at is null or kind = 'entry'"),
        _foreign(table, "operation_id", "joint_operation"),
        _foreign(table, "area_id", "area"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_operation_change")),
        sa.UniqueConstraint(
            "operation_id", "number", name=op.f("uq_joint_operation_change_operation_id_number")
        ),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_joint_operation_change_idempotency_key")),
        schema="huxian",
    )


def _create_marks() -> None:
    table = "joint_operation_mark"
    op.create_geospatial_table(
        table,
        _identity(),
        _key("operation_id"),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _key("area_id"),
        sa.Column("unit", sa.String(), nullable=False),
        _moment("created_at", "clock_timestamp()"),
        _moment("changed_at", "clock_timestamp()"),
        _moment("removed_at", nullable=True),
        _geom("POINT"),
        _check(table, "kind", "kind in ('note','stakeout')"),
        _check(table, "geom", "geom && ST_MakeEnvelope(70, 0, 140, 60, 4326)"),
        _foreign(table, "operation_id", "joint_operation"),
        _foreign(table, "area_id", "area"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_operation_mark")),
        schema="huxian",
    )
    _geospatial_index(table)
    op.create_index("ix_joint_operation_mark_operation", table, ["operation_id", "id"], schema="huxian")
    table = "joint_operation_mark_version"
    op.create_geospatial_table(
        table,
        _identity(),
        _key("mark_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        _key("area_id"),
        sa.Column("unit", sa.String(), nullable=False),
        _moment("at"),
        _geom("POINT"),
        _check(table, "action", "action in ('created','changed','removed')"),
        _foreign(table, "mark_id", "joint_operation_mark"),
        _foreign(table, "area_id", "area"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_operation_mark_version")),
        sa.UniqueConstraint(
            "mark_id", "version", name=op.f("uq_joint_operation_mark_version_mark_id_version")
        ),
        schema="huxian",
    )
    _geospatial_index(table)


def upgrade() -> None:
    op.execute("set local lock_timeout = '10s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("set local role huxian_owner")
    _create_operation()
    _create_city()
    _create_zone()
    _create_unit()
    _create_change()
    _create_marks()
    # What happened stays as it was told: the application may add rows, and nothing else.
    for table in _ONLY_ADDED_TO:
        op.execute(f"revoke update on huxian.{table} from huxian_app")
    op.execute("reset role")


def downgrade() -> None:
    op.execute("set local lock_timeout = '10s'")
    op.drop_geospatial_table("joint_operation_mark_version", schema="huxian")
    op.drop_geospatial_table("joint_operation_mark", schema="huxian")
    op.drop_table("joint_operation_change", schema="huxian")
    op.drop_table("joint_operation_unit", schema="huxian")
    op.drop_geospatial_table("joint_operation_zone", schema="huxian")
    op.drop_table("joint_operation_city", schema="huxian")
    op.drop_table("joint_operation", schema="huxian")
