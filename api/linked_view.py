"""Link incidents of neighbouring areas once per version of the data, and gather what a page shows of it."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from geo.crs import STORED
from geo.linked import Linked, load_linked
from geo.runs import default_period
from geo.store.areas import find_areas
from geo.store.dataset import find_dataset
from geo.store.incident_queries import extent_of_time
from layers.areas import area_outlines
from layers.linked import LinkedView

if TYPE_CHECKING:
    from fastapi import FastAPI
    from sqlalchemy.orm import Session

    from geo.periods import Period
    from layers.views import Locale

_KEPT = 16
_SIMPLE_DEGREES = 0.002


class LinkedShelf:
    """The last answers, by data version, period and areas."""

    def __init__(self) -> None:
        self._found: OrderedDict[object, Linked] = OrderedDict()
        self._lock = Lock()

    def get(self, session: Session, period: Period, codes: tuple[str, ...]) -> Linked:
        """Return the linked incidents; whoever asks meanwhile waits for the same answer."""
        dataset = find_dataset(session)
        key = (None if dataset is None else dataset.version, period, codes)
        with self._lock:
            if key not in self._found:
                self._found[key] = load_linked(session, period, codes)
                while len(self._found) > _KEPT:
                    self._found.popitem(last=False)
            self._found.move_to_end(key)
            return self._found[key]


def linked_shelf(app: FastAPI) -> LinkedShelf:
    """Return the shelf of an application, made with the first question."""
    if not hasattr(app.state, "linked_shelf"):
        app.state.linked_shelf = LinkedShelf()
    shelf: LinkedShelf = app.state.linked_shelf
    return shelf


def whole_period(session: Session) -> Period | None:
    """Return the whole months that hold all incidents; None while there are none."""
    extent = extent_of_time(session)
    return None if extent is None else default_period(*extent)


def linked_view(linked: Linked) -> LinkedView:
    """Return what a page shows of linked incidents."""
    return LinkedView(
        found=linked.found,
        period=linked.period,
        area_names=linked.area_names,
        loss_items=linked.loss_items,
        categories=linked.categories,
        incident_count=linked.incident_count,
        omitted_count=linked.omitted_count,
        reach_m=linked.reach_m,
        is_census=linked.is_census,
    )


def choices_of(session: Session, period: Period | None) -> list[tuple[str, str]]:
    """Return code and name of the cities of a period, in the order of their codes."""
    if period is None:
        return []
    cities = find_areas(session, on=period.last_on, level="city")
    rows = cities[cities["adcode"].notna()].sort_values("adcode")
    return [(str(code), str(name)) for code, name in zip(rows["adcode"], rows["name"], strict=True)]


def outlines_of(session: Session, period: Period | None, *, locale: Locale) -> dict[str, dict[str, Any]]:
    """Return the outlines of the cities of a period, simplified so that shared borders stay shared."""
    if period is None:
        return {}
    cities = find_areas(session, on=period.last_on, level="city")
    known = cities[~cities.geometry.isna()]
    shapes = shapely.coverage_simplify(known.geometry.to_numpy(), _SIMPLE_DEGREES)
    drawn = known.assign(incident_count=0, geometry=gpd.GeoSeries(shapes, index=known.index, crs=STORED))
    return area_outlines((drawn,), locale=locale)
