"""Join the store and the linking of incidents: load what happened in neighbouring areas, and link it across the border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geo.analysis.series_across import LinkedAcross, series_across
from geo.crs import METRIC, to_metric
from geo.errors import InvalidInputError
from geo.store.areas import find_areas, with_descendants
from geo.store.catalogues import Category, catalogue_choices
from geo.store.incident_queries import IncidentFilter, find_incidents, find_loss_items, has_census

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from sqlalchemy.orm import Session

    from geo.periods import Period

MOST_LINKED = 600
"""Incidents linked at once: as many as take a few seconds. Of more, those nearest to the border."""
SEED = 20080310
_FEWEST_AREAS = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linked:
    """Candidates for series in neighbouring areas, and what to call them by.

    Parameters
    ----------
    found : LinkedAcross
        Sides are codes of areas; incidents, chains and lines by incident id, metric. Its ``incidents`` carry the texts of
        `geo.store.incident_queries.find_incidents`.
    period : Period
    area_names : dict of str to str
        Code -> name, in the order asked for.
    loss_items : DataFrame
        Of the incidents that were linked, indexed by incident id: kind, pairs, length_m, as_written.
    categories : dict of str to (str, str)
        Code -> Chinese and English name.
    incident_count : int
        Incidents of the areas and the period.
    omitted_count : int
        Of these left out, because there are more than can be linked at once.
    reach_m : float or None
        Where some were left out, how far from the border the linked ones lie at most.
    unplaced_count : int
        Of the linked ones, without a place.
    is_census : bool
        Whether they are all that were recorded rather than a selected list.
    """

    found: LinkedAcross
    period: Period
    area_names: dict[str, str]
    loss_items: pd.DataFrame
    categories: dict[str, tuple[str, str]]
    incident_count: int
    omitted_count: int
    reach_m: float | None
    unplaced_count: int
    is_census: bool


def load_linked(
    session: Session,
    period: Period,
    area_codes: Sequence[str],
    *,
    most: int = MOST_LINKED,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> Linked:
    """Link the reported incidents of two or more neighbouring areas of one level.

    Parameters
    ----------
    session : Session
        Only read from.
    period : Period
    area_codes : sequence of str
        Codes of cities, or of counties; what lies inside them counts too.
    most : int
        Incidents linked at most.
    seed : int
        Of the exchanged sets.
    progress : callable, optional
        Called with (steps done, steps); may raise to stop.

    Returns
    -------
    Linked

    Raises
    ------
    InvalidInputError
        If fewer than two areas are named, one twice, or one that did not exist in the period.

    Notes
    -----
    Incidents that patrols discovered are left out: they lie where patrols go. A full record is not mixed with a
    selected list of the same cases.
    """
    areas = _areas(session, period, area_codes)
    inside = {
        area_id: code for code, own in areas["id"].items() for area_id in with_descendants(session, int(own))
    }
    wanted = IncidentFilter(period=period, area_ids=tuple(inside), origin="reported")
    incidents = find_incidents(session, wanted)
    # Nothing at all says nothing of how the rest was chosen.
    is_empty = incidents.empty
    is_census = has_census(session, IncidentFilter()) if is_empty else bool(incidents["is_census"].any())
    incidents = to_metric(incidents[incidents["is_census"]] if is_census and not is_empty else incidents)
    side = incidents["area_id"].map(inside)
    shapes = areas[~areas.geometry.isna()]
    chosen, reach_m = _nearest(incidents, side, shapes, most=most)
    linked, sides = incidents[chosen], side[chosen]
    items = find_loss_items(session, [int(each) for each in linked.index]).set_index("incident_id")
    found = series_across(
        linked,
        side=sides,
        areas=shapes[["geometry"]] if len(shapes) else None,
        loss_items=items,
        seed=seed,
        progress=progress,
    )
    return Linked(
        found=found,
        period=period,
        area_names={str(code): str(name) for code, name in areas["name"].items()},
        loss_items=items[["kind", "pairs", "length_m", "as_written"]],
        categories={code: (zh, en) for code, zh, en in catalogue_choices(session, Category)},
        incident_count=len(incidents),
        omitted_count=len(incidents) - len(linked),
        reach_m=reach_m,
        unplaced_count=int(linked.geometry.isna().sum()),
        is_census=is_census,
    )


def _areas(session: Session, period: Period, codes: Sequence[str]) -> gpd.GeoDataFrame:
    """Return the areas by code, metric, in the order asked for."""
    if len(codes) < _FEWEST_AREAS or len(set(codes)) < len(codes):
        raise InvalidInputError(
            "incidents are linked across two or more different areas", code="too_few_areas"
        )
    known = find_areas(session, on=period.last_on)
    known = known[known["level"].isin(("city", "county")) & known["adcode"].isin(list(codes))]
    missing = [code for code in codes if code not in set(known["adcode"])]
    if missing:
        raise InvalidInputError(
            f"no city or county had the code {missing[0]} in {period}",
            code="no_such_area_code",
            adcode=missing[0],
            day=period.last_on.isoformat(),
        )
    if len(set(known["level"])) > 1:
        raise InvalidInputError(
            "incidents are linked across areas of one level: cities, or counties", code="mixed_levels"
        )
    by_code = to_metric(known).assign(id=known.index).set_index("adcode")
    return gpd.GeoDataFrame(by_code.loc[list(codes)], crs=METRIC)


def _nearest(
    incidents: gpd.GeoDataFrame, side: pd.Series[Any], shapes: gpd.GeoDataFrame, *, most: int
) -> tuple[Any, float | None]:
    """Return which incidents to link: all, or of too many those nearest to another of the areas, and how far that is."""
    if len(incidents) <= most:
        return np.ones(len(incidents), dtype=np.bool_), None
    points = incidents.geometry.to_numpy()
    away_m = np.full(len(incidents), np.inf)
    for code, shape in shapes.geometry.items():
        # An incident's own area is no border.
        distance = np.where(side.eq(code), np.inf, shapely.distance(shape, points))
        away_m = np.fmin(away_m, distance)
    order = np.argsort(away_m, kind="stable")[:most]
    chosen = np.zeros(len(incidents), dtype=np.bool_)
    chosen[order] = True
    furthest = float(away_m[order].max())
    return chosen, furthest if np.isfinite(furthest) else None
