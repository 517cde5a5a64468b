"""Write the forms of a briefing, sealed: the same value gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import shutil
from typing import TYPE_CHECKING

from geo.analysis.briefings import Briefing
from geo.errors import InvalidInputError
from layers.briefings.content import lay_out
from layers.briefings.forms import OWN, PAGE, SLIDES, STYLE, WORD, Templates
from layers.briefings.outward import lay_out_masked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from geo.analysis.briefings import MaskedBriefing
    from layers.briefings.paper import Paper

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "html": "text/html; charset=utf-8",
}
FORMS = tuple(MEDIA_TYPES)
"""What a briefing is written as; each is also the ending of its file."""


def write_briefing(
    briefing: Briefing | MaskedBriefing,
    *,
    forms: Sequence[str] = FORMS,
    templates: Templates | None = None,
) -> dict[str, bytes]:
    """Write a briefing in some of its forms.

    Parameters
    ----------
    briefing : Briefing or MaskedBriefing
        The inner one, or what `geo.analysis.briefings.masked` made of it.
    forms : sequence of {"pdf", "docx", "pptx", "html"}
    templates : Templates, optional
        A force's own.

    Returns
    -------
    dict
        Form -> the whole file.

    Raises
    ------
    InvalidInputError
        If a form is unknown, or a template is broken or asks for other files.
    MissingResourceError
        If a template, what prints, or a Chinese font is missing; with the line that installs it.

    Notes
    -----
    The same value gives the same bytes with the same versions of the libraries and the font: no clock, no
    random numbers, no names of the machine. Files of Office have the date of the briefing as theirs.
    """
    return write_paper(laid_out(briefing), forms=forms, templates=templates)


def laid_out(briefing: Briefing | MaskedBriefing) -> Paper:
    """Lay a briefing out for all its forms; see `write_paper`."""
    return lay_out(briefing) if isinstance(briefing, Briefing) else lay_out_masked(briefing)


def paper_tag(paper: Paper, *, form: str, templates: Templates) -> str:
    """Return an entity tag of a form: all that it is written from, before it is written.

    Parameters
    ----------
    paper : Paper
        From `laid_out`.
    form : {"pdf", "docx", "pptx", "html"}
    templates : Templates

    Returns
    -------
    str
        Weak: libraries and fonts of another machine may set the same content with other bytes.
    """
    digest = hashlib.sha256(f"{form} {paper!r}".encode())
    for name in (PAGE, STYLE, WORD, SLIDES):
        path = templates.path(name)
        digest.update(b"" if path is None else hashlib.sha256(path.read_bytes()).digest())
    return f'W/"{digest.hexdigest()[:32]}"'


def write_paper(
    paper: Paper, *, forms: Sequence[str] = FORMS, templates: Templates | None = None
) -> dict[str, bytes]:
    """Write what is laid out, as `write_briefing` says."""
    unknown = [form for form in forms if form not in FORMS]
    if unknown:
        raise InvalidInputError(f"a briefing is written as {', '.join(FORMS)}")
    chosen = templates or Templates()
    written: dict[str, bytes] = {}
    if {"pdf", "html"} & set(forms):
        from layers.briefings.pages import page, pdf

        html = page(paper, chosen)
        if "html" in forms:
            written["html"] = html.encode()
        if "pdf" in forms:
            written["pdf"] = pdf(html)
    if {"docx", "pptx"} & set(forms):
        from layers.briefings.pictures import drawn, pictures_of

        pictures = drawn(pictures_of(paper))
        if "docx" in forms:
            from layers.briefings.word import word

            written["docx"] = word(paper, chosen, pictures)
        if "pptx" in forms:
            from layers.briefings.slides import slides

            written["pptx"] = slides(paper, chosen, pictures)
    return {form: written[form] for form in forms}


def file_stem(briefing: Briefing | MaskedBriefing) -> str:
    """Return what its files are called before the ending: codes and period, no Chinese, nothing typed in."""
    codes = "-".join("".join(filter(str.isalnum, city.code)) for city in briefing.cities)
    period = briefing.period
    kind = "briefing" if isinstance(briefing, Briefing) else "briefing-outward"
    return f"{kind}-{codes}-{period.start_on:%Y%m%d}-{period.last_on:%Y%m%d}"


def write_templates(folder: Path) -> tuple[Path, ...]:
    """Write our own templates into an empty or new folder, for a force to change.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    tuple of Path
        ``briefing.html``, ``briefing.css``, ``briefing.docx``, ``briefing.pptx``.

    Raises
    ------
    InvalidInputError
        If one of them is there already: nobody's work is written over.
    """
    targets = tuple(folder / name for name in (PAGE, STYLE, WORD, SLIDES))
    there = [path.name for path in targets if path.exists()]
    if there:
        raise InvalidInputError(f"the folder holds {', '.join(there)} already; nothing was written")
    from layers.briefings.slides import own_deck
    from layers.briefings.word import own_document

    folder.mkdir(parents=True, exist_ok=True)
    for name in (PAGE, STYLE):
        shutil.copyfile(OWN / name, folder / name)
    for made, target in ((own_document(), folder / WORD), (own_deck(), folder / SLIDES)):
        held = io.BytesIO()
        made.save(held)
        target.write_bytes(held.getvalue())
    return targets
