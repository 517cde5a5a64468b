"""Run revisions as the owner of the tables; `api.migrate` hands the connection over."""

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, text

import geo.store.tables
from geo.store.base import SCHEMA

# Roles belong to the whole server, so two databases of one server meet here: create what is missing.
# huxian_owner owns and never logs in; huxian_app works and owns nothing; huxian_web logs in and must
# ask for huxian_app, so that a connection which forgets to do so sees nothing at all.
_BOOTSTRAP = """
do $$
begin
  perform pg_advisory_xact_lock(hashtext('huxian bootstrap'));
  if not exists (select from pg_roles where rolname = 'huxian_owner') then
    create role huxian_owner nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'huxian_app') then
    create role huxian_app nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'huxian_web') then
    create role huxian_web login noinherit;
  end if;
end $$;
grant huxian_app to huxian_web;
grant huxian_owner to current_user;
grant huxian_app to current_user;
create schema if not exists huxian authorization huxian_owner;
create schema if not exists jobs authorization huxian_owner;
grant usage on schema huxian, jobs to huxian_app;
"""


def _include_name(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "schema" or name == SCHEMA


def run(connection: Connection) -> None:
    """Prepare roles and schemas, then run what is asked for in one transaction per revision."""
    connection.execute(text("set lock_timeout = '10s'"))
    connection.execute(text(_BOOTSTRAP))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=geo.store.tables.metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=_include_name,
        include_object=alembic_helpers.include_object,
        process_revision_directives=alembic_helpers.writer,
        render_item=alembic_helpers.render_item,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
