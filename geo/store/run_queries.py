"""Find finished runs by what they were asked, so that what they found can be handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import defer

from geo.errors import NotFoundError
from geo.store.runs import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from geo.periods import Period

_NO_RUN = "no finished run answers this; ask for one with POST /runs"


def find_finished_run(
    session: Session,
    *,
    period: Period | None = None,
    category: str | None = None,
    sector: str | None = None,
    area_id: int | None = None,
    kind: str = "hotspots",
) -> Run | None:
    """Return the newest finished run of a kind that was asked exactly this, or None.

    Parameters
    ----------
    session : Session
    period : Period, optional
        Of any period when omitted.
    category, sector : str, optional
        Codes; when omitted only runs over all categories, or sectors.
    area_id : int, optional
        When omitted only runs over the whole province.
    kind : str
    """
    asked = Run.parameters
    query = select(Run).where(Run.kind == kind, Run.state == "done")
    for name, value in (("category", category), ("sector", sector)):
        query = query.where(asked[name].astext.is_not_distinct_from(value))
    area_text = None if area_id is None else str(area_id)
    query = query.where(asked["area_id"].astext.is_not_distinct_from(area_text))
    if period is not None:
        query = query.where(
            asked["start_on"].astext == period.start_on.isoformat(),
            asked["until_on"].astext == period.until_on.isoformat(),
        )
    return session.scalar(query.order_by(Run.id.desc()).limit(1))


def find_runs_asked(session: Session, *, kind: str, parameters: Mapping[str, Any]) -> list[Run]:
    """Return the finished runs of a kind that were asked exactly this, of whatever version, newest first.

    Parameters
    ----------
    session : Session
    kind : str
    parameters : mapping
        Of a `RunRequest`. The results are loaded when they are looked at.
    """
    query = select(Run).options(defer(Run.result)).where(Run.kind == kind, Run.state == "done")
    return list(session.scalars(query.where(Run.parameters == dict(parameters)).order_by(Run.id.desc())))


def get_run_head(session: Session, run_id: int) -> Run:
    """Return a run without its result, which is loaded when it is looked at.

    Raises
    ------
    NotFoundError
        If there is none of this id.
    """
    run = session.get(Run, run_id, options=[defer(Run.result)])
    if run is None:
        raise NotFoundError("there is no such run")
    return run


def get_finished_run(session: Session, run_id: int, *, kind: str | None = None) -> Run:
    """Return a finished run.

    Parameters
    ----------
    session : Session
    run_id : int
    kind : str, optional
        Only of this kind.

    Raises
    ------
    NotFoundError
        If there is none of this id (and kind), or it has not finished.
    """
    run = session.get(Run, run_id)
    if run is None or run.state != "done" or kind not in (None, run.kind):
        raise NotFoundError(_NO_RUN)
    return run
