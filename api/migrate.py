"""Bring a database to the newest revision, or say which revisions it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

ROOT = Path(__file__).resolve().parent.parent


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option(
        "file_template", "%%(year)d%%(month).2d%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s"
    )
    config.attributes["connection"] = connection
    return config


def admin_engine(admin_url: str) -> Engine:
    """Return an engine for revisions.

    Its search path is fixed: a login called like our schema would make that the default schema, and
    Alembic compares the default schema nameless.
    """
    return create_engine(admin_url, poolclass=NullPool, connect_args={"options": "-c search_path=public"})


def upgrade(admin_url: str, *, revision: str = "head") -> None:
    """Run every revision the database lacks; a second call does nothing.

    Parameters
    ----------
    admin_url : str
        SQLAlchemy URL of a login that may create roles, schemas and extensions.
    revision : str
        Target; ``head`` is the newest.
    """
    with admin_engine(admin_url).connect() as connection:
        command.upgrade(_config(connection), revision)


def downgrade(admin_url: str, *, revision: str) -> None:
    """Go back to an older revision (``base`` removes every table)."""
    with admin_engine(admin_url).connect() as connection:
        command.downgrade(_config(connection), revision)


def check_models(admin_url: str) -> None:
    """Raise if the tables in the code and in a migrated database differ."""
    with admin_engine(admin_url).connect() as connection:
        command.check(_config(connection))


def newest_revision() -> str | None:
    """Return the revision this version of the software needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    """Return the revision a database is at, or None when it was never migrated."""
    context = MigrationContext.configure(connection, opts={"version_table_schema": "huxian"})
    return context.get_current_revision()
