"""The real application over a real database with the demo province in it."""

import json
import tempfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from api.database import make_sessions, open_engine
from api.jobs import open_queue
from api.main import create_app
from api.settings import Settings


def client_of(urls, data_dir=None, *, demo=False):
    """Return a client of the application over a database; `data_dir` is needed by tests that upload files."""
    data_dir = data_dir or Path(tempfile.gettempdir()) / "huxian-without-uploads"
    engine = open_engine(urls.web)
    app = create_app(Settings(data_dir=data_dir), make_sessions(engine), open_queue(urls.web), demo=demo)
    return TestClient(app, raise_server_exceptions=False), engine


@pytest.fixture(scope="session")
def client(filled, tmp_path_factory):
    client, engine = client_of(filled, tmp_path_factory.mktemp("client"), demo=True)
    yield client
    engine.dispose()


@pytest.fixture
def empty_client(fresh, tmp_path):
    client, engine = client_of(fresh, tmp_path)
    yield client
    engine.dispose()


@pytest.fixture
def digest(filled):
    """Return a function that condenses every row of ours: rejected requests must not change it."""

    def condense():
        with create_engine(filled.admin, poolclass=NullPool).connect() as connection:
            tables = connection.scalars(
                text("select tablename from pg_tables where schemaname = 'huxian' order by 1")
            ).all()
            return json.dumps(
                {
                    name: connection.scalar(
                        text(
                            f"select md5(coalesce(string_agg(t::text, ',' order by t::text), '')) from huxian.{name} t"
                        )
                    )
                    for name in tables
                }
            )

    return condense
