"""List where each kind of file goes."""

from __future__ import annotations

from geo.store.staging_events import INCIDENTS, TICKETS
from geo.store.staging_registers import AREAS, FACILITIES, LINES, PLACES, STATIONS

TARGETS = {
    "incidents": INCIDENTS,
    "lines": LINES,
    "areas": AREAS,
    "stations": STATIONS,
    "facilities": FACILITIES,
    "places": PLACES,
    "tickets": TICKETS,
}
