"""List the forms of a briefing as links, for the house and masked for those outside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from layers.borders_address import borders_address
from layers.refusals import refusal_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.operations_view import Unbriefed
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


def unbriefed(told: Unbriefed | None, say: Texts) -> dict[str, str] | None:
    """Return ``why`` an operation has no briefing and the ``address`` where it is computed anew, empty where none is."""
    if told is None:
        return None
    why = told.why
    sentences = [refusal_text(str(why), why.code, why.values, locale=say.locale)]
    if why.code == "operation_of_old_run" and told.filters is None:
        sentences.append(say("那次计算的设置交界页上选不出来，要由技术人员按原来的参数（POST /runs）计算。"))
    return {
        "why": ("" if say.locale == "zh" else " ").join(sentences),
        "address": "" if told.filters is None else borders_address(told.filters, say.locale),
    }
