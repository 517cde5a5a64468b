"""Tell whether the process lives and whether it can serve."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import text

from api.deps import Sessioned
from api.migrate import current_revision, newest_revision
from api.problems import DOCUMENTED, problem

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """One word that monitors look for."""

    status: str


@router.get("/livez")
def get_livez() -> Health:
    """Answer as long as the process answers at all; never asks the database."""
    return Health(status="live")


@router.get("/readyz", response_model=Health, responses={503: DOCUMENTED[503]})
def get_readyz(request: Request, session: Sessioned) -> Annotated[Health, "or a problem"] | Response:
    """Answer 200 when PostGIS is there and the tables are at the revision this version needs."""
    session.execute(text("select postgis_version()"))
    if current_revision(session.connection()) != newest_revision():
        return problem(
            request,
            HTTPStatus.SERVICE_UNAVAILABLE,
            "数据库版本不符，请运行 huxian migrate / The tables are of another version; run huxian migrate",
        )
    return Health(status="ready")
