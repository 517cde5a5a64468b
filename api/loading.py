"""Prepare a database and move data in and out of it, for the command line and the first start."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

from api.database import make_sessions, open_engine
from api.databases import database_urls
from api.jobs import abandon_run, ask_run, open_queue, work_on_run
from api.migrate import ROOT, upgrade
from geo.campaigns import load_campaign
from geo.demo import store_province
from geo.errors import HuxianError, InvalidInputError
from geo.imports import store_catalogues
from geo.io.boundaries import has_boundaries, henan_boundaries
from geo.io.campaign_files import read_campaign
from geo.io.catalogue_files import read_catalogues
from geo.periods import Period, read_period
from geo.runs import default_period
from geo.store.dataset import find_dataset
from geo.store.incident_queries import extent_of_time
from geo.store.runs import LIVE, get_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from api.database import SessionMaker
    from api.databases import DatabaseUrls
    from api.settings import Settings
    from geo.runs import RunRequest
    from geo.store.runs import Run

    Report = Callable[[str], None]

DATA = ROOT / "data"
_POLL_S = 0.5


def prepare(urls: DatabaseUrls, *, report: Report) -> None:
    """Bring the tables to this version and the catalogues in; a second call changes nothing."""
    upgrade(urls.admin)
    engine = open_engine(urls.web, statement_timeout_ms=0, pool_size=1)
    with make_sessions(engine).begin() as session:
        store_catalogues(session, read_catalogues(DATA / "catalogues"))
    engine.dispose()
    report("数据库结构已就绪 · the tables are ready")


@contextlib.contextmanager
def opened_sessions(settings: Settings, *, demo: bool, report: Report) -> Iterator[SessionMaker]:
    """Open a prepared database for commands that may take long."""
    urls = database_urls(settings, demo=demo, report=report)
    prepare(urls, report=lambda _line: None)
    engine = open_engine(urls.web, statement_timeout_ms=0, pool_size=2)
    try:
        yield make_sessions(engine)
    finally:
        engine.dispose()


def load_campaign_folder(sessions: SessionMaker, name: str, *, report: Report) -> str:
    """Load a campaign from `data/`; a second call adds nothing. Return a line for people."""
    files = read_campaign(DATA / name)
    boundaries = None
    if has_boundaries():
        report("读取县级边界 · reading county borders")
        boundaries = henan_boundaries()
    else:
        report("未安装边界数据（可选组件 henan）：地图只画点和半径 · no borders installed: places only")
    with sessions.begin() as session:
        return load_campaign(session, files, boundaries=boundaries)


def load_demo(sessions: SessionMaker, *, seed: int) -> str:
    """Make the demo province unless it is there; return a line for people."""
    from geo.analysis.province import synthetic_province

    with sessions.begin() as session:
        dataset = find_dataset(session)
        if dataset is not None and dataset.kind == "demo":
            if dataset.seed != seed:
                raise HuxianError(
                    f"演示库已按种子 {dataset.seed} 生成 · the demo database was made with seed {dataset.seed}; "
                    "drop it to make another"
                )
            return "演示省已存在 · the demo province is there already"
    areas = _areas_for_demo() if has_boundaries() else None
    province = synthetic_province(seed=seed, areas=areas)
    with sessions.begin() as session:
        return store_province(session, province, seed=seed, is_redistributable=areas is None)


def _areas_for_demo() -> gpd.GeoDataFrame:
    """Return the borders of today as areas that know their parents by id."""
    areas = henan_boundaries().reset_index(drop=True)
    areas.index = areas.index + 1
    parents = {
        (level, adcode): area_id
        for area_id, level, adcode in zip(areas.index, areas["level"], areas["adcode"], strict=True)
    }
    above = {"city": "province", "county": "city"}
    areas["parent_id"] = [
        parents.get((above.get(level, ""), parent))
        for level, parent in zip(areas["level"], areas["parent_adcode"], strict=True)
    ]
    return areas


def wanted_period(session: Session, period: str) -> Period:
    """Return the period asked for, or the months that hold everything."""
    if period:
        return read_period(period)
    extent = extent_of_time(session)
    if extent is None:
        raise InvalidInputError("还没有案件 · there are no incidents yet; load or import some first")
    return default_period(*extent)


def compute_now(
    sessions: SessionMaker,
    *,
    period: str,
    ask: Callable[[Period], RunRequest],
    progress: Callable[[int, int], None],
) -> tuple[Run, dict[str, Any], Period]:
    """Compute a run in this process and keep it as any other.

    Parameters
    ----------
    sessions : SessionMaker
    period : str
        As people write it; empty for all there is.
    ask : callable
        Period -> request.
    progress : callable
        Told of every step.

    Returns
    -------
    run : Run
    document : dict
        What it found, see docs/reference/runs.md.
    period : Period

    Notes
    -----
    An interrupt cancels the run, unless somebody else had asked for it before: theirs is left to the worker.
    """
    queue = open_queue(sessions.kw["bind"].url.render_as_string(hide_password=False))
    with sessions.begin() as session:
        wanted = wanted_period(session, period)
        run, is_new = ask_run(session, queue, ask(wanted))
        run_id = run.id
    try:
        _see_through(sessions, run_id, progress)
    except KeyboardInterrupt:
        if is_new:
            abandon_run(sessions, run_id)
        raise
    with sessions.begin() as session:
        run = get_run(session, run_id)
        if run.result is None:
            if run.error is not None:
                raise InvalidInputError(run.error, code=run.error_code, **(run.error_values or {}))
            raise HuxianError(f"the run ended as {run.state}")
        return run, json.loads(run.result), wanted


def _see_through(sessions: SessionMaker, run_id: int, progress: Callable[[int, int], None]) -> None:
    """Compute a run here; one that a worker beside this process took over is watched until it has ended."""
    state = work_on_run(sessions, run_id, progress=progress)
    while state in LIVE:
        time.sleep(_POLL_S)
        with sessions.begin() as session:
            run = get_run(session, run_id)
            state = run.state
            progress(run.done_steps, run.total_steps)
