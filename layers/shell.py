"""Render pages: the templates in two languages, what every page needs, and the way from one page to another."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from layers.payload import payload_text
from layers.policy import check_nonce
from layers.texts import mark, texts_in
from layers.theme import COLOURS

if TYPE_CHECKING:
    from layers.views import Locale

_TEMPLATES = Path(__file__).parent / "templates"

PAGES = (
    ("/", mark("地图")),
    ("/borders", mark("交界地区")),
    ("/linked", mark("串并案")),
    ("/import", mark("导入")),
    ("/export", mark("导出")),
    ("/reconciliation", mark("工单核对")),
    ("/duplicates", mark("重复报案")),
    ("/operations", mark("区域会战")),
    ("/docs", mark("接口")),
)
"""Address and name of every page, in the order of the navigation."""


@lru_cache(maxsize=2)
def environment(locale: Locale) -> Environment:
    """Return the templates, speaking one language; everything that is filled in is escaped."""
    say = texts_in(locale)
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    translations = say.translations
    made.install_gettext_callables(  # type: ignore[attr-defined] # added by the extension
        translations.gettext, translations.ngettext, newstyle=True
    )
    return made


def shell(locale: Locale, nonce: str, *, here: str = "") -> dict[str, Any]:
    """Return what every page needs, whatever it shows.

    Parameters
    ----------
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    here : str
        Address of the page among `PAGES`.
    """
    check_nonce(nonce)
    say = texts_in(locale)
    properties = ";".join(f"--{name}:{colour}" for name, colour in COLOURS.items())
    return {
        "locale": locale,
        "nonce": nonce,
        "here": here,
        "pages": [(address, say(name)) for address, name in PAGES],
        "root_style": Markup(f":root{{{properties}}}"),  # noqa: S704 - constants of layers.theme
    }


def render_page(
    template: str,
    *,
    locale: Locale,
    nonce: str,
    here: str,
    dataset_title: str,
    is_demo: bool,
    client_texts: tuple[str, ...] = (),
    blocks: dict[str, Any] | None = None,
    **model: Any,
) -> str:
    """Render a page that extends ``plain.html``.

    Parameters
    ----------
    template : str
        File in `layers/templates`.
    locale : {"zh", "en"}
    nonce : str
        Of this answer's content security policy.
    here : str
        Its address among `PAGES`.
    dataset_title : str
        Which data the page is about; plain text.
    is_demo : bool
        Whether that is the demo province.
    client_texts : tuple of str
        Chinese sentences that the page's scripts show; `static/page.js` looks them up with ``t()``.
    blocks : dict, optional
        JSON blocks for the page's scripts, by element id.
    **model
        What the template shows.
    """
    say = texts_in(locale)
    page = {"locale": locale, "texts": {sentence: say(sentence) for sentence in client_texts}, "words": {}}
    handed = {"page-data": page, "outlines": {}} | (blocks or {})
    texts = {name: Markup(payload_text(value)) for name, value in handed.items()}  # noqa: S704 - escaped there
    return (
        environment(locale)
        .get_template(template)
        .render(
            **shell(locale, nonce, here=here),
            dataset_title=dataset_title,
            is_demo=is_demo,
            data_blocks=texts,
            **model,
        )
    )
