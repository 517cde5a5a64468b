"""Say a briefing (会战简报) as one frozen value, and mask it for those outside."""

from geo.analysis.briefings.facts import Briefing, City, Counts, Provenance, Verdict
from geo.analysis.briefings.linked import Alternative, Chain, Link, LinkChance, LinkedIncident, LostItem
from geo.analysis.briefings.maps import BriefingMap, MapArea, MapLabel, MapLine
from geo.analysis.briefings.masks import MaskedBriefing, MaskedCell, MaskedCity, masked
from geo.analysis.briefings.parts import (
    ActionWindow,
    Power,
    Role,
    Section,
    Station,
    Zone,
)

__all__ = [
    "ActionWindow",
    "Alternative",
    "Briefing",
    "BriefingMap",
    "Chain",
    "City",
    "Counts",
    "Link",
    "LinkChance",
    "LinkedIncident",
    "LostItem",
    "MapArea",
    "MapLabel",
    "MapLine",
    "MaskedBriefing",
    "MaskedCell",
    "MaskedCity",
    "Power",
    "Provenance",
    "Role",
    "Section",
    "Station",
    "Verdict",
    "Zone",
    "masked",
]
