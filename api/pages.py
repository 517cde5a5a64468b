"""Answer with a page beside the map: language, nonce, policy and the name of the data, the same everywhere."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator

from api.deps import StrictQuery
from api.map_views import dataset_title
from layers.policy import content_security_policy

if TYPE_CHECKING:
    from fastapi import Request
    from sqlalchemy.orm import Session

    from layers.views import Locale


class PageRenderer(Protocol):
    """Draws a page from what `answer_page` knows."""

    def __call__(self, *, locale: Locale, nonce: str, dataset_title: str, is_demo: bool) -> str:
        """Return the HTML."""


class LanguageQuery(StrictQuery):
    """The language of a page."""

    lang: Annotated[Literal["zh", "en"] | None, BeforeValidator(lambda value: value or None)] = None


def locale_of(request: Request, lang: Locale | None) -> Locale:
    """Return the language asked for, else the one of the settings."""
    chosen: Locale = lang or request.app.state.settings.locale
    return chosen


def answer_page(
    request: Request, session: Session, render: PageRenderer, *, lang: Locale | None
) -> HTMLResponse:
    """Return a page with its policy.

    Parameters
    ----------
    request : Request
    session : Session
        For the name of the data.
    render : callable
        Takes ``locale``, ``nonce``, ``dataset_title`` and ``is_demo``.
    lang : {"zh", "en"} or None
        As the address asks.
    """
    locale = locale_of(request, lang)
    nonce = secrets.token_urlsafe(18)
    title, is_demo = dataset_title(session, locale, demo=request.app.state.demo)
    page = render(locale=locale, nonce=nonce, dataset_title=title, is_demo=is_demo)
    return HTMLResponse(page, headers={"Content-Security-Policy": content_security_policy(nonce)})
