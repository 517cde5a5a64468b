"""Build the web application; everything it needs is handed in."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from api.borders_view import NeighbourShelf
from api.guards import Guard
from api.jobs import software_version
from api.map_views import PictureShelf
from api.problems import DOCUMENTED, install_problems
from api.routes import (
    areas,
    batches,
    borders,
    briefings,
    docs_page,
    duplicates,
    exports,
    health,
    hotspots,
    imports,
    incidents,
    lines,
    linked,
    map_page,
    ogc,
    operation_effects,
    operation_overlay,
    operations,
    reconciliation,
    runs,
    stations,
    tiles,
)
from api.tile_door import TileDoor
from api.upload_work import ReadingDesk

if TYPE_CHECKING:
    from procrastinate import App

    from api.database import SessionMaker
    from api.settings import Settings

STATIC = Path(__file__).resolve().parent.parent / "static"
_ROUTES = (
    health,
    map_page,
    areas,
    incidents,
    lines,
    stations,
    hotspots,
    runs,
    briefings,
    tiles,
    imports,
    batches,
    exports,
    reconciliation,
    duplicates,
    borders,
    operations,
    operation_overlay,
    operation_effects,
    linked,
    ogc,
    docs_page,
)
_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "testserver"})


class _HealthIsQuiet(logging.Filter):
    """Keep the probes of a monitor out of the access log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "/livez" not in record.getMessage()


def create_app(settings: Settings, sessions: SessionMaker, queue: App, *, demo: bool = False) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    settings : Settings
    sessions : SessionMaker
        Sessions of the application's role.
    queue : procrastinate App
        For putting jobs in, on the session's own connection.
    demo : bool
        Whether this instance shows the demo province; only decides which address the first page names
        for the other one.

    Returns
    -------
    FastAPI
    """
    app = FastAPI(
        title="护线 Huxian",
        version=software_version(),
        summary="Incidents against power, telecom and broadcasting lines: maps and honest hotspots",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        responses=DOCUMENTED,
    )
    app.state.settings = settings
    app.state.sessions = sessions
    app.state.queue = queue
    app.state.demo = demo
    app.state.shelf = PictureShelf()
    app.state.neighbours = NeighbourShelf()
    app.state.uploads = settings.uploads_dir(demo=demo)
    app.state.desk = ReadingDesk(sessions)
    install_problems(app)
    for module in _ROUTES:
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    # Level 4 halves the pages at a tenth of the time the default level 9 takes.
    app.add_middleware(GZipMiddleware, minimum_size=2_000, compresslevel=4)
    app.add_middleware(TileDoor)
    hosts = _LOCAL_HOSTS | {settings.host.lower()} | frozenset(settings.hosts())
    app.add_middleware(Guard, hosts=hosts)
    logging.getLogger("uvicorn.access").addFilter(_HealthIsQuiet())
    return app
