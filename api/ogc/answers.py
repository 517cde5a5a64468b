"""Answer with what the client understands: JSON for programs, the same as a page for people."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from api.geojson import GEOJSON
from api.ogc.documents import JSON
from api.pages import answer_page, locale_of
from layers.ogc_page import render_ogc_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request
    from sqlalchemy.orm import Session

    from layers.views import Locale

_VARY = {"Vary": "Accept"}


def base_of(request: Request) -> str:
    """Return the address of the landing page as this client reaches it, without a slash at its end."""
    return f"{str(request.base_url).rstrip('/')}/ogc"


def language_of(request: Request, given: Mapping[str, str]) -> Locale:
    """Return the language of titles and pages."""
    asked = given.get("lang")
    return locale_of(request, "en" if asked == "en" else "zh" if asked == "zh" else None)


def wants_page(request: Request, given: Mapping[str, str]) -> bool:
    """Tell whether a page is asked for: by `f`, else by naming HTML before JSON in Accept."""
    if "f" in given:
        return given["f"] == "html"
    kinds = [part.split(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]
    if "text/html" not in kinds:
        return False
    programs = [kinds.index(kind) for kind in (JSON, GEOJSON) if kind in kinds]
    return all(kinds.index("text/html") < place for place in programs)


def answer(
    request: Request,
    session: Session,
    given: Mapping[str, str],
    document: Mapping[str, Any],
    *,
    kind: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a document as JSON or as a page.

    Parameters
    ----------
    request : Request
    session : Session
        For the name of the data on the page.
    given : mapping of str to str
        Parameters of the request.
    document : mapping
    kind : str
        Media type of the JSON.
    headers : mapping, optional
    """
    more = _VARY | dict(headers or {})
    if not wants_page(request, given):
        return JSONResponse(document, media_type=kind, headers=more)
    locale = language_of(request, given)
    render = partial(render_ogc_page, document=document, address=request.url.path)
    page = answer_page(request, session, render, lang=locale)
    page.headers.update(more)
    return page
