"""Hand out the briefing of a border in its four forms, for the house or masked for those outside."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from api.briefing_checks import check_worth_telling
from api.deps import Sessioned, StrictQuery, refuse_repeats
from api.entity_tags import is_known
from api.jobs import software_version
from geo.analysis.briefings import Briefing, masked
from geo.briefings import briefing_of_border, briefing_of_operation
from geo.runs import PAIR
from geo.store.run_queries import get_finished_run
from layers.briefings import MEDIA_TYPES, Templates, file_stem, laid_out, paper_tag, write_paper

router = APIRouter(tags=["briefings"], dependencies=[Depends(refuse_repeats)])

RunId = Annotated[int, Path(ge=1, le=2**62)]
Form = Literal["pdf", "docx", "pptx", "html"]
_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The briefing as a file. The same run of the same data gives the same bytes.",
        "content": {
            media.split(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for media in MEDIA_TYPES.values()
        },
    },
    304: {"description": "The file is the one whose ETag was sent."},
}


class AudienceQuery(StrictQuery):
    """For whom."""

    outward: Literal["0", "1"] = Field(
        default="0", description="1: masked for those outside, counts only, no places, lines or stations"
    )
    lang: Literal["zh", "en"] | None = Field(
        default=None, description="language of refusals; the briefing itself is Chinese"
    )


class BriefingQuery(AudienceQuery):
    """Which border of the run, and for whom."""

    pair: str = Field(pattern=PAIR, description="codes of the two areas, the lower one first")


@router.head("/runs/{run_id}/briefing.{form}", include_in_schema=False)
@router.get("/runs/{run_id}/briefing.{form}", response_class=Response, responses=_DOCUMENTED)
def get_briefing(
    request: Request,
    session: Sessioned,
    run_id: RunId,
    form: Form,
    query: Annotated[BriefingQuery, Query()],
) -> Response:
    """Return the briefing (会战简报) for one border that a finished run scanned."""
    run = get_finished_run(session, run_id)
    document = json.loads(run.result or b"{}")
    check_worth_telling(document)
    inner = briefing_of_border(
        session, run_id, pair=query.pair, document=document, version=software_version()
    )
    session.rollback()
    return _file(request, inner, form, is_outward=query.outward == "1")


@router.head("/operations/{operation_id}/briefing.{form}", include_in_schema=False)
@router.get("/operations/{operation_id}/briefing.{form}", response_class=Response, responses=_DOCUMENTED)
def get_operation_briefing(
    request: Request,
    session: Sessioned,
    operation_id: RunId,
    form: Form,
    query: Annotated[AudienceQuery, Query()],
) -> Response:
    """Return the briefing of a joint operation: its border as the run saw it, its lead, units and hours."""
    inner = briefing_of_operation(session, operation_id, version=software_version())
    session.rollback()
    return _file(request, inner, form, is_outward=query.outward == "1")


def _file(request: Request, inner: Briefing, form: Form, *, is_outward: bool) -> Response:
    """Write a briefing and answer with it, or with nothing where the client has these very bytes.

    Nothing is read any more: the callers have given their transaction back, which must not idle for as long as this takes.
    """
    briefing = masked(inner) if is_outward else inner
    templates = Templates(folder=request.app.state.settings.briefing_templates)
    paper = laid_out(briefing)
    etag = paper_tag(paper, form=form, templates=templates)
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{file_stem(briefing)}.{form}"',
    }
    if is_known(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    body = write_paper(paper, forms=(form,), templates=templates)[form]
    return Response(body, media_type=MEDIA_TYPES[form], headers=headers)
