"""Write the addresses of the page of borders: its whole state stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from layers.addresses import write_value
from layers.borders_view import BorderFilters

if TYPE_CHECKING:
    from layers.views import Locale

ADDRESS = "/borders"
INCIDENTS = "/borders/incidents"
_DEFAULT = BorderFilters()


def borders_query(filters: BorderFilters, locale: Locale) -> dict[str, str | None]:
    """Return the parameters of a page; those that say nothing are None."""
    period = filters.period
    return {
        "level": None if filters.level == _DEFAULT.level else filters.level,
        "pair": filters.pair,
        "scope": None if filters.scope == _DEFAULT.scope or filters.pair is None else filters.scope,
        "start": None if period is None else period.start_on.isoformat(),
        "end": None if period is None else period.last_on.isoformat(),
        "depth_m": None if filters.depth_m == _DEFAULT.depth_m else write_value(filters.depth_m),
        "step_m": None if filters.step_m == _DEFAULT.step_m else write_value(filters.step_m),
        "zone": filters.zone,
        "view": filters.view,
        "links": "1" if filters.has_links else None,
        "lang": locale,
    }


def borders_address(filters: BorderFilters, locale: Locale, /, **changes: str | None) -> str:
    """Return the address of the page with some of its parameters changed; another pair looks elsewhere.

    Parameters
    ----------
    filters : BorderFilters
    locale : {"zh", "en"}
    **changes : str or None
        None takes one away. A pair opened from the result of all borders stays in that result.
    """
    query = borders_query(filters, locale)
    if "pair" in changes and changes["pair"] != filters.pair:
        query |= {"zone": None, "view": None}
        if filters.pair is None and changes["pair"] is not None:
            query["scope"] = "all"
    return f"{ADDRESS}?" + urlencode({name: value for name, value in (query | changes).items() if value})


def incidents_address(run_id: int, zone_id: str, locale: Locale, *, side: str | None = None) -> str:
    """Return the address of the list of incidents that a zone counted, of one side or both."""
    query = {"run": str(run_id), "zone": zone_id, "side": side, "lang": locale}
    return f"{INCIDENTS}?" + urlencode({name: value for name, value in query.items() if value})
