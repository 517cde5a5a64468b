"""Serve the description of the API to people."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from api.deps import Sessioned, refuse_repeats
from api.pages import LanguageQuery, answer_page
from layers.docs_page import render_docs_page

router = APIRouter(tags=["docs"], dependencies=[Depends(refuse_repeats)])


@router.get("/docs", response_class=HTMLResponse)
def get_docs_page(
    request: Request, session: Sessioned, query: Annotated[LanguageQuery, Query()]
) -> HTMLResponse:
    """Return the page that explains every operation and lets a person try those that only read."""
    base = str(request.base_url).rstrip("/")
    render = partial(render_docs_page, document=request.app.openapi(), base=base)
    return answer_page(request, session, render, lang=query.lang)
