"""Find and name sections: stretches of line where cases are more than their exposure explains."""

from geo.analysis.sections.concentration import Concentration, concentration
from geo.analysis.sections.layout import measure_events
from geo.analysis.sections.names import name_sections, section_name
from geo.analysis.sections.repeats import Repeats, repeat_victimisation
from geo.analysis.sections.search import (
    Sections,
    SectionSearch,
    find_sections,
    judged_span,
    section_search,
)

__all__ = [
    "Concentration",
    "Repeats",
    "SectionSearch",
    "Sections",
    "concentration",
    "find_sections",
    "judged_span",
    "measure_events",
    "name_sections",
    "repeat_victimisation",
    "section_name",
    "section_search",
]
