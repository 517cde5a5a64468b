"""Keep the state of a page in its address, so that reload, back and a link sent on show the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from layers.views import DEFAULT_KIND, write_layers, write_position

if TYPE_CHECKING:
    from layers.views import MapView


def page_address(view: MapView, /, **changes: str | None) -> str:
    """Return the address of a page with some of its parameters changed.

    Parameters
    ----------
    view : MapView
    **changes : str or None
        ``lang``, ``start``, ``end``, ``category``, ``sector``, ``area``, ``compare``, ``layers``, ``view``, ``kind``
        and parameters of the analysis; None takes one away.
    """
    query = page_query(view) | changes
    return "/?" + urlencode({name: value for name, value in query.items() if value})


def page_query(view: MapView) -> dict[str, str | None]:
    """Return the parameters of a page; those that say nothing are None."""
    filters = view.filters
    period = filters.period
    return {
        "start": None if period is None else period.start_on.isoformat(),
        "end": None if period is None else period.last_on.isoformat(),
        "category": filters.category,
        "sector": filters.sector,
        "area": None if filters.area_id is None else str(filters.area_id),
        "compare": "1" if filters.compare else None,
        "lang": view.locale,
        "layers": None if filters.layers is None else write_layers(filters.layers),
        "view": None if filters.view is None else write_position(filters.view),
        "kind": None if filters.kind == DEFAULT_KIND else filters.kind,
        **{name: write_value(value) for name, value in filters.asked},
    }


def write_value(value: Any) -> str:
    """Write the value of a parameter of an analysis as it stands in the address."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(f"{each:.10g}" for each in value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)
