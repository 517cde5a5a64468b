"""Measure how the time to render a map page with everything on it grows with the incidents it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from benchmarks.measurement import Growth, seconds_of
from layers.page import render_map_page
from tests.pictures import sample_incidents, sample_panel, sample_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layers.page import MapView

_SIZES = (500, 1_000, 2_000, 4_000)


def _view(count: int) -> MapView:
    """Return a page with so many incidents, each with a place of its own."""
    one = sample_incidents().iloc[[2]]
    incidents = gpd.GeoDataFrame(pd.concat([one] * count, ignore_index=True), crs=4326)
    view: MapView = sample_view(panels=(sample_panel(incidents=incidents),))
    return view


def measure() -> Iterator[Growth]:
    """Yield the growth of the time of a page; beyond 4,000 incidents a page takes tiles instead."""
    views = [_view(size) for size in _SIZES]
    yield Growth(
        kernel="map page, seconds to render",
        sizes=_SIZES,
        seconds=[seconds_of(lambda each=each: render_map_page(each)) for each in views],
    )
