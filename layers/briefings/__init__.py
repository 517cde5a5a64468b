"""Write a briefing (会战简报) from one frozen value into PDF, Word, PowerPoint and one HTML file."""

from layers.briefings.fonts import INSTALL, missing_for_briefings
from layers.briefings.forms import Templates
from layers.briefings.writing import (
    FORMS,
    MEDIA_TYPES,
    file_stem,
    laid_out,
    paper_tag,
    write_briefing,
    write_paper,
    write_templates,
)

__all__ = [
    "FORMS",
    "INSTALL",
    "MEDIA_TYPES",
    "Templates",
    "file_stem",
    "laid_out",
    "missing_for_briefings",
    "paper_tag",
    "write_briefing",
    "write_paper",
    "write_templates",
]
