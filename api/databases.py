"""Find the two databases: the one with real rows, and the demo province in one of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from api.postgis import start_cluster, superuser_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.settings import Settings

WEB_LOGIN = "huxian_web"
"""Login of web and worker; it owns nothing and must ask for the application's role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrls:
    """How to reach one database.

    Parameters
    ----------
    admin : str
        For revisions: may create roles, schemas and extensions.
    web : str
        For everything else.
    """

    admin: str
    web: str


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _ensure_database(admin_url: str, maintenance: str) -> None:
    """Create the database of a URL unless it is there."""
    name = make_url(admin_url).database
    engine = create_engine(
        _with_database(admin_url, maintenance), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        exists = connection.scalar(text("select 1 from pg_database where datname = :name"), {"name": name})
        if not exists:
            quoted = engine.dialect.identifier_preparer.quote_identifier(str(name))
            connection.execute(text(f"create database {quoted} encoding 'UTF8' template template0"))


def database_urls(settings: Settings, *, demo: bool, report: Callable[[str], None]) -> DatabaseUrls:
    """Return the URLs of one of the two databases, starting the private server when there is no other.

    Parameters
    ----------
    settings : Settings
        With `database_url` that server is used; the demo province then lives beside it in a database
        whose name ends in ``_demo``.
    demo : bool
        The demo province instead of the real rows.
    report : callable
        Told in one line what takes time.

    Raises
    ------
    MissingResourceError
        If PostGIS cannot be had; the text holds the exact line to install it.
    """
    if settings.database_url is not None:
        web = settings.database_url.get_secret_value()
        admin = settings.admin_database_url.get_secret_value() if settings.admin_database_url else web
        real = str(make_url(web).database)
        if demo:
            web, admin = (_with_database(url, f"{real}_demo") for url in (web, admin))
            _ensure_database(admin, real)
        return DatabaseUrls(admin=admin, web=web)
    cluster = start_cluster(settings.data_dir, report=report)
    admin = superuser_url(cluster, "huxian_demo" if demo else "huxian")
    _ensure_database(admin, "postgres")
    web = make_url(admin).set(username=WEB_LOGIN).render_as_string(hide_password=False)
    return DatabaseUrls(admin=admin, web=web)
