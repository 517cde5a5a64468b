"""Join the rows of a file of areas and the check of coverages, level by level, as of each time they change."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo.analysis.coverage import check_coverage

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd

_MOST_AREAS = 5_000
_MOST_TIMES = 12
_MOST_SHOWN = 100
# Areas without dates are always valid; so any day does to look at them.
_ANY_DAY = date(2000, 1, 1)


def coverage_of(frames: Iterable[gpd.GeoDataFrame]) -> dict[str, Any] | None:
    """Return gaps and overlaps of the areas of a file, with their sizes.

    Parameters
    ----------
    frames : iterable of GeoDataFrame
        As `geo.io.area_files` reads them.

    Returns
    -------
    dict or None
        ``gaps`` (level, on, km2, lon, lat) and ``overlaps`` (level, on, names, km2, lon, lat), the largest
        first; None where the file holds too many areas to check at once.
    """
    parts = list(frames)
    if not parts:
        return {"gaps": [], "overlaps": []}
    areas = pd.concat(parts)
    if len(areas) > _MOST_AREAS:
        return None
    gaps: list[dict[str, Any]] = []
    overlaps: list[dict[str, Any]] = []
    seen: set[Any] = set()
    for level, group in areas.groupby("level"):
        for on in _times(group):
            valid = _valid_on(group, on)
            found = check_coverage(valid)
            day = on.isoformat()
            for gap in found.gaps:
                if (key := (level, round(gap.lon, 4), round(gap.lat, 4))) not in seen:
                    seen.add(key)
                    gaps.append({"level": level, "on": day, "km2": gap.km2, "lon": gap.lon, "lat": gap.lat})
            for overlap in found.overlaps:
                if (pair := (level, overlap.first, overlap.second)) not in seen:
                    seen.add(pair)
                    names = [str(valid["name"][row]) for row in (overlap.first, overlap.second)]
                    overlaps.append(
                        {
                            "level": level,
                            "on": day,
                            "names": names,
                            "km2": overlap.km2,
                            "lon": overlap.lon,
                            "lat": overlap.lat,
                        }
                    )

    def by_size(row: dict[str, Any]) -> float:
        return -float(row["km2"])

    return {
        "gaps": sorted(gaps, key=by_size)[:_MOST_SHOWN],
        "overlaps": sorted(overlaps, key=by_size)[:_MOST_SHOWN],
    }


def _times(areas: gpd.GeoDataFrame) -> list[date]:
    """Return the days on which the set of valid areas changes, the latest ones where there are many."""
    days = {day for day in areas["valid_from"] if day is not None}
    return sorted(days, reverse=True)[:_MOST_TIMES] or [_ANY_DAY]


def _valid_on(areas: gpd.GeoDataFrame, on: date) -> gpd.GeoDataFrame:
    begun = areas["valid_from"].map(lambda day: day is None or day <= on)
    lasting = areas["valid_until"].map(lambda day: day is None or day > on)
    return areas[begun & lasting]
