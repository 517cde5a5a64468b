"""Revisions go up, down and up again, and describe the same tables as the code."""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from api.migrate import admin_engine, check_models, current_revision, downgrade, newest_revision, upgrade
from geo.store.tables import metadata


def test_the_models_and_the_migrated_tables_agree(fresh):
    check_models(fresh.admin)


def test_revisions_go_up_down_and_up_again(fresh):
    downgrade(fresh.admin, revision="base")
    with admin_engine(fresh.admin).connect() as connection:
        left = connection.scalars(
            text("select tablename from pg_tables where schemaname in ('huxian', 'jobs')")
        ).all()
        assert left == ["alembic_version"]
        # The reference systems belong to PostGIS and outlive our tables.
        assert connection.scalar(text("select count(*) from spatial_ref_sys")) > 1000
    upgrade(fresh.admin)
    upgrade(fresh.admin)
    with admin_engine(fresh.admin).connect() as connection:
        assert current_revision(connection) == newest_revision()
    check_models(fresh.admin)


def test_no_table_belongs_to_anybody_who_can_log_in(fresh):
    with admin_engine(fresh.admin).connect() as connection:
        owners = dict(
            connection.execute(
                text(
                    "select tablename, tableowner from pg_tables where schemaname in ('huxian', 'jobs')"
                    " and tablename <> 'alembic_version'"
                )
            ).all()
        )
        assert len(owners) > len(metadata.tables)
        assert set(owners.values()) == {"huxian_owner"}
        assert not connection.scalar(text("select rolcanlogin from pg_roles where rolname = 'huxian_owner'"))


def test_a_login_that_does_not_ask_for_its_role_sees_nothing(fresh):
    with (
        create_engine(fresh.web, poolclass=NullPool).connect() as connection,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        connection.execute(text("select * from huxian.incident"))


@pytest.mark.parametrize(
    "statement",
    [
        "delete from huxian.incident",
        "truncate huxian.incident",
        "drop table huxian.incident",
        "alter table huxian.incident disable trigger all",
        "set role huxian_owner",
        "create table huxian.mine (id int)",
    ],
)
def test_the_application_can_neither_delete_nor_change_tables(session, statement):
    with pytest.raises(ProgrammingError):
        session.execute(text(statement))


def test_every_geometry_has_a_gist_index(session):
    columns = session.execute(
        text("select f_table_name, f_geometry_column from geometry_columns where f_table_schema = 'huxian'")
    ).all()
    indexed = session.execute(
        text(
            "select tablename, indexdef from pg_indexes where schemaname = 'huxian' and indexdef like '%gist%'"
        )
    ).all()
    for table, column in columns:
        if column in ("label_point", "extent_geom"):
            continue  # shown with their row, never searched
        assert any(name == table and f"({column})" in definition for name, definition in indexed), table
