"""Write a briefing as PowerPoint: native tables and charts, maps as pictures."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.util import Mm

from geo.errors import InvalidInputError
from layers.briefings.forms import SLIDES, numeral
from layers.briefings.sealing import base_document, sealed
from layers.briefings.slide_flow import Flow
from layers.briefings.slide_parts import put_facts, put_lines, put_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.briefings.forms import Templates
    from layers.briefings.paper import Paper

_WIDE, _TALL = Mm(338.67), Mm(190.5)
_OURS = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
_QUIET = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)


def slides(paper: Paper, templates: Templates, pictures: Mapping[int, bytes]) -> bytes:
    """Write a briefing as PPTX.

    Parameters
    ----------
    paper : Paper
    templates : Templates
    pictures : mapping
        ``id`` of a picture -> PNG, from `pictures.drawn`.

    Raises
    ------
    InvalidInputError
        If the force's base document is broken, reaches outside, or has no layout with a title alone.
    """
    deck = _base(templates)
    layout = _layout(deck)
    flow = Flow(deck, layout, paper, pictures)
    _summary(flow, paper)
    for number, part in enumerate(paper.parts, start=1):
        flow.part(f"{numeral(number)}、{part.title}", part.blocks)
    _describe(deck, paper)
    written = io.BytesIO()
    deck.save(written)
    return sealed(written.getvalue(), on=paper.generated_on)


def _base(templates: Templates) -> Any:
    path = templates.path(SLIDES)
    if path is None:
        return own_deck()
    try:
        return Presentation(base_document(path))
    except (ValueError, KeyError, SyntaxError) as error:
        raise InvalidInputError(
            f"the briefing template {SLIDES} is no PowerPoint document: {error}"
        ) from None


def own_deck() -> Any:
    """Make our base document: wide, plain, no slide in it."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = _WIDE, _TALL
    return deck


def _layout(deck: Any) -> Any:
    """Return the layout that holds a title and nothing else to be filled in."""
    for layout in deck.slide_layouts:
        kinds = [each.placeholder_format.type for each in layout.placeholders]
        if any(kind in _OURS for kind in kinds) and all(kind in _OURS or kind in _QUIET for kind in kinds):
            return layout
    raise InvalidInputError(f"the briefing template {SLIDES} has no layout that holds a title alone")


def _summary(flow: Flow, paper: Paper) -> None:
    """Write the verdict and the facts on one slide, the map on the next; the tables come with their parts."""
    sheet = flow.own(paper.title)
    frame = "proven" if paper.is_proven else "candidate"
    put_text(sheet, paper.subtitle, top=Mm(24), size=14, is_quiet=True)
    put_text(sheet, paper.headline, top=Mm(38), size=24, is_bold=True, frame=frame)
    lines = [f"{place}. {line}" for place, line in enumerate(paper.situation, start=1)]
    put_lines(sheet, lines, top=Mm(62), size=18, bottom=Mm(48))
    put_facts(sheet, paper.figures, top=sheet.height - Mm(42.5))
    if paper.map is not None:
        flow.map(f"交界带全图：{paper.headline}", paper.map)


def _describe(deck: Any, paper: Paper) -> None:
    made = paper.generated_on
    facts = deck.core_properties
    facts.title, facts.author, facts.subject = paper.title[:250], "护线", paper.headline[:250]
    facts.keywords, facts.comments, facts.language = "", paper.footer[:250], "zh-CN"
    facts.created = facts.modified = datetime(made.year, made.month, made.day)  # noqa: DTZ001 - the property has no zone
    facts.last_modified_by, facts.revision = "护线", 1
