"""List the forms of a briefing as links, for the house and masked for those outside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.texts import Texts

_FORMS = (("pdf", "PDF"), ("docx", "Word (DOCX)"), ("pptx", "PowerPoint (PPTX)"), ("html", "HTML"))


def briefing_links(address: str, query: Mapping[str, str], say: Texts) -> list[dict[str, str]]:
    """Return ``href`` and ``name`` of every form of a briefing, then of its masked version.

    Parameters
    ----------
    address : str
        Of the briefing, without the ending that says the form.
    query : mapping
        What the address asks for besides.
    say : Texts
    """
    links = []
    for is_outward in (False, True):
        for form, name in _FORMS:
            asked = dict(query) | ({"outward": "1"} if is_outward else {})
            links.append(
                {
                    "href": f"{address}.{form}?{urlencode(asked)}" if asked else f"{address}.{form}",
                    "name": say("%(form)s，对外脱敏版", form=name) if is_outward else name,
                }
            )
    return links
