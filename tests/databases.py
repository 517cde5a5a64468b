"""Make real databases for tests: one migrated template, copied where a test commits."""

from __future__ import annotations

import contextlib
import itertools

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from api.database import make_sessions, open_engine
from api.databases import DatabaseUrls
from api.migrate import ROOT, upgrade
from geo.imports import store_catalogues
from geo.io.catalogue_files import read_catalogues

TEMPLATE = "huxian_template"
_numbers = itertools.count(1)


def with_database(url, name):
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def execute(admin_url, statement):
    engine = create_engine(
        with_database(admin_url, "postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(statement))


def urls_of(admin_url, name):
    admin = with_database(admin_url, name)
    web = make_url(admin).set(username="huxian_web").render_as_string(hide_password=False)
    return DatabaseUrls(admin=admin, web=web)


def make_template(admin_url):
    """Create the migrated template with its catalogues."""
    execute(admin_url, f"create database {TEMPLATE} template template0 encoding 'UTF8'")
    urls = urls_of(admin_url, TEMPLATE)
    upgrade(urls.admin)
    engine = open_engine(urls.web, pool_size=1)
    with make_sessions(engine).begin() as session:
        store_catalogues(session, read_catalogues(ROOT / "data" / "catalogues"))
    engine.dispose()


@contextlib.contextmanager
def fresh_database(admin_url, *, template=TEMPLATE):
    """Yield the URLs of a copy of the template, dropped afterwards."""
    name = f"huxian_test_{next(_numbers)}"
    execute(admin_url, f"create database {name} template {template}")
    try:
        yield urls_of(admin_url, name)
    finally:
        execute(admin_url, f"drop database {name} with (force)")
