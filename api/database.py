"""Open sessions in the application's role; every connection says who it works as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url
from sqlalchemy.orm import Session, sessionmaker

from geo.store.base import APP_ROLE, SEARCH_PATH

if TYPE_CHECKING:
    from sqlalchemy import Engine

SessionMaker = sessionmaker[Session]

_WEB_TIMEOUT_MS = 15_000
# The pool gives up after two seconds, so that a full server answers 503 instead of piling up.
_POOL_WAIT_S = 2


def connection_options(*, statement_timeout_ms: int) -> str:
    """Return the startup options of every connection: role, search path, limits."""
    return (
        f"-c role={APP_ROLE} -c search_path={SEARCH_PATH} -c timezone=Asia/Shanghai -c jit=off "
        f"-c statement_timeout={statement_timeout_ms} -c lock_timeout=5000 "
        "-c idle_in_transaction_session_timeout=60000"
    )


def open_engine(url: str, *, statement_timeout_ms: int = _WEB_TIMEOUT_MS, pool_size: int = 10) -> Engine:
    """Return an engine whose connections work as the application's role.

    Parameters
    ----------
    url : str
        SQLAlchemy URL, ``postgresql+psycopg://``.
    statement_timeout_ms : int
        After this a statement is stopped; 0 for none (imports, runs).
    pool_size : int
        Connections kept; as many again may be opened in a rush.
    """
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=_POOL_WAIT_S,
        pool_pre_ping=True,
        connect_args={
            "options": connection_options(statement_timeout_ms=statement_timeout_ms),
            "connect_timeout": 2,
            "application_name": "huxian",
        },
    )


def make_sessions(engine: Engine) -> SessionMaker:
    """Return the maker of sessions; the edge that opens one owns its transaction."""
    return sessionmaker(engine, expire_on_commit=False)


def libpq_url(url: str) -> str:
    """Return a SQLAlchemy URL as libpq reads it: without the driver's name."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    # libpq reads a plus sign as itself, not as a blank.
    return plain.replace("+", "%20")
