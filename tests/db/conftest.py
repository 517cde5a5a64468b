"""A session that is rolled back after each test, and a database of its own where a test commits."""

import pytest
from sqlalchemy.orm import Session

from api.database import open_engine
from tests.databases import fresh_database


@pytest.fixture(scope="session")
def shared_engine(admin_url, template):
    with fresh_database(admin_url, template=template) as urls:
        engine = open_engine(urls.web)
        yield engine
        engine.dispose()


@pytest.fixture
def session(shared_engine):
    """Open a session of the application's role and roll it back whatever the test did."""
    connection = shared_engine.connect()
    transaction = connection.begin()
    with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
        yield session
    transaction.rollback()
    connection.close()
