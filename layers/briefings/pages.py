"""Write a briefing as one HTML file that needs nothing else, and print the same file as PDF."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from geo.errors import InvalidInputError
from layers.briefings.fonts import weasyprint
from layers.briefings.forms import PAGE, STYLE, filled
from layers.briefings.svg import FONTS

if TYPE_CHECKING:
    from layers.briefings.forms import Templates
    from layers.briefings.paper import Paper

_FONTS = Markup(FONTS)  # noqa: S704 - a constant
_OUTSIDE = re.compile(
    r"""<script|<link\b|<iframe|<object|<embed|<base\b|@import|(?:src|href|poster|data)\s*=\s*["']?(?!data:|\#)[^"'\s>]"""
    r"""|url\(\s*["']?(?!data:|\#)[^)]""",
    re.IGNORECASE,
)
"""What would make a file ask for another."""


def page(paper: Paper, templates: Templates) -> str:
    """Write a briefing as HTML: no script, no other file, no host.

    Parameters
    ----------
    paper : Paper
    templates : Templates

    Raises
    ------
    InvalidInputError
        If a template cannot be read or filled in, or asks for other files.
    """
    for name in (STYLE, PAGE):
        if found := _OUTSIDE.search(templates.text(name)):
            raise InvalidInputError(
                f"the briefing template {name} asks for another file or runs a script ({found[0][:40]}); "
                "put pictures in as data: addresses"
            )
    marks = {"classification": paper.classification, "banner": paper.banner, "footer": paper.footer}
    told = {name: quoted(text) for name, text in (marks | {"title": paper.title}).items()}
    css = filled(templates.compiled(STYLE), STYLE, fonts=_FONTS, **told)
    html = filled(templates.compiled(PAGE), PAGE, paper=paper, css=Markup(css))  # noqa: S704 - every value in it is quoted
    for name, text in marks.items():
        if told[name] not in css:
            raise InvalidInputError(f"the briefing template {STYLE} leaves out the {name} of every page")
        if escape(text) not in html:
            raise InvalidInputError(f"the briefing template {PAGE} leaves out the {name}")
    return html


def quoted(text: str) -> Markup:
    """Write a text as a string of CSS that ends neither itself nor the element it stands in."""
    # JSON escapes quotes, backslashes and controls; the rest becomes escapes of CSS.
    inside = json.dumps(text, ensure_ascii=False)[1:-1].replace("\\n", " ").replace("\\t", " ")
    inside = inside.replace("\\\\", "\\5c ").replace('\\"', "\\22 ")
    for sign in "<>&'":
        inside = inside.replace(sign, f"\\{ord(sign):x} ")
    return Markup(f'"{inside}"')  # noqa: S704 - nothing in it can end the string or the element


def pdf(html: str) -> bytes:
    """Print a page of ours as PDF: A4, vectors, fonts embedded, the same bytes for the same page.

    Parameters
    ----------
    html : str
        From `page`.

    Raises
    ------
    MissingResourceError
        If what WeasyPrint needs, or a Chinese font, is not on this machine.
    """
    document = printed(html)
    identifier = hashlib.sha256(html.encode()).digest()[:16]
    return bytes(document.write_pdf(pdf_identifier=identifier, pdf_tags=True))


def printed(html: str) -> Any:
    """Open a page for printing; it can fetch nothing but what it brings in `data:` addresses.

    Raises
    ------
    MissingResourceError
        If what WeasyPrint needs, or a Chinese font, is not on this machine.
    """
    printer = weasyprint()
    fetcher = printer.urls.URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    return printer.HTML(string=html, url_fetcher=fetcher, media_type="print")
