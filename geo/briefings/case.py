"""Hold the border that a briefing is about: the run, its document, and what the run read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
from shapely.geometry import shape

from geo.crs import STORED, to_metric
from geo.errors import InvalidInputError, NotFoundError
from geo.runs import KINDS, load_run, read_pair
from geo.runs.borders import BorderInput, BordersRequest, located_incidents
from geo.store.runs import get_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from sqlalchemy.orm import Session

    from geo.store.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BorderCase:
    """The border that a briefing is about: the run, its document, and what the run read."""

    run: Run
    document: Mapping[str, Any]
    border: Mapping[str, Any]
    zones: Sequence[Mapping[str, Any]]
    loaded: BorderInput
    request: BordersRequest
    city_of: pd.Series[Any]

    @property
    def area_ids(self) -> list[int]:
        """Ids of the two cities, in the order of the sides."""
        return list(self.border["area_ids"])


def read_case(session: Session, run_id: int, *, pair: str, document: Mapping[str, Any]) -> BorderCase:
    """Find a border in a run and load what the run read; see `briefing_of_border`."""
    run = get_run(session, run_id)
    if run.kind != "borders" or "borders" not in document:
        raise InvalidInputError("a briefing is made from a finished scan of borders", code="no_border_scan")
    codes = read_pair(pair).split("-")
    border = next((each for each in document["borders"] if sorted(each["cities"]) == codes), None)
    if border is None:
        raise NotFoundError(
            f"run {run_id} did not scan the border of {' and '.join(codes)}",
            code="border_not_scanned",
            one=codes[0],
            other=codes[1],
        )
    if document["method_version"] != BordersRequest.version:
        raise InvalidInputError(
            f"run {run_id} is of another version, which told other things of a border: compute it again",
            code="other_version",
        )
    request = KINDS["borders"].request.from_parameters(run.parameters)
    loaded = load_run(session, request)
    if not isinstance(request, BordersRequest) or not isinstance(loaded, BorderInput):
        raise InvalidInputError("a briefing is made from a finished scan of borders", code="no_border_scan")
    areas = loaded.areas
    parents = areas["parent_id"].where(areas["level"] == "county")
    city_of = parents.fillna(areas.index.to_series()).astype("int64")
    if request.level == "county":
        city_of = areas.index.to_series()
    return BorderCase(
        run=run,
        document=document,
        border=border,
        zones=[zone for zone in document["zones"] if sorted(zone["cities"]) == codes],
        loaded=loaded,
        request=request,
        city_of=city_of,
    )


def sides_of(case: BorderCase) -> pd.Series[Any]:
    """Return the id of the side of each incident, so that no count of the belt exceeds that of its area.

    It is the side on which the scan counted it; else the area that recorded it, as the scan reads it; else the one it
    lies in.
    """
    incidents = case.loaded.incidents
    own = located_incidents(case.loaded, level=case.request.level)["area"].astype("Int64")
    counted = dict(zip(case.border["incidents"], case.border["sides"], strict=True))
    in_belt = incidents.index[incidents.index.isin(list(counted))]
    own.loc[in_belt] = [case.area_ids["ab".index(counted[each])] for each in in_belt]
    missing = incidents.index[own.isna() & incidents.geometry.notna()]
    for area_id in case.area_ids:
        polygon = case.loaded.areas.geometry.loc[area_id]
        inside = shapely.intersects(polygon, incidents.geometry.loc[missing].to_numpy())
        own.loc[missing[inside]] = area_id
        missing = missing[~inside]
    sides: pd.Series[Any] = own
    return sides


def silent_areas(case: BorderCase, reporting: set[int]) -> set[int]:
    """Return the areas of the map from which nothing came: of the sides what the run says, of counties those that never reported.

    Parameters
    ----------
    case : BorderCase
    reporting : set of int
        Areas that ever recorded an incident.
    """
    # A run that is older than the word tells by its counts.
    counts = dict(zip("ab", (case.border["count_a"], case.border["count_b"]), strict=True))
    quiet = [
        side
        for side, area in zip("ab", case.area_ids, strict=True)
        if not counts[side] and area not in reporting
    ]
    silent = {case.area_ids["ab".index(side)] for side in case.border.get("silent", quiet)}
    areas = case.loaded.areas
    counties = areas.index[areas["level"] == "county"]
    never = {int(each) for each in counties if each not in reporting and each not in case.area_ids}
    beneath = {int(each) for each in counties if areas["parent_id"].loc[each] in silent}
    return silent | never | beneath


def incidents_in_belt(case: BorderCase) -> gpd.GeoDataFrame:
    """Return the incidents that the scan counted, without those that were voided since."""
    incidents = case.loaded.incidents
    return incidents[incidents.index.isin(case.border["incidents"])]


def metric_shape(geometry: Mapping[str, Any] | None) -> Any:
    """Return a GeoJSON geometry in metres."""
    if geometry is None:
        return None
    return to_metric(gpd.GeoDataFrame(geometry=[shape(dict(geometry))], crs=STORED)).geometry.iloc[0]
