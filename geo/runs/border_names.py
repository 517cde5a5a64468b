"""Name what a border zone touches as people name it: its stretch, the line sections inside, the hours, the stations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo.analysis.aoristic import aoristic_hours
from geo.analysis.documents import geojson
from geo.analysis.risk_window import HOURS_A_DAY, risk_window
from geo.analysis.sections.names import section_name
from geo.crs import to_metric, to_stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.runs.borders import BorderInput

_M_PER_KM = 1000.0
_MOST_PLACES, _MOST_SECTIONS, _MOST_STATIONS = 2, 12, 20
_APART_M = 3_000.0
"""Thefts on one line farther apart than this along it are two sections."""
_LEAST_SECTION_M = 100.0
STATION_REACH_M = 10_000.0
"""Buying stations are listed up to so far from a zone."""


class Surroundings:
    """Counties, places, cable and stations in metres, to be asked about one zone after another.

    Parameters
    ----------
    loaded : BorderInput
    """

    def __init__(self, loaded: BorderInput) -> None:
        areas = loaded.areas[loaded.areas["level"] == "county"]
        self._counties = to_metric(areas[["name", "parent_id", "geometry"]])
        self._places = to_metric(loaded.places)
        self._stations = to_metric(loaded.stations)
        self._segments = to_metric(loaded.segments)
        self._incidents = loaded.incidents
        lengths = self._segments.get("length_m")
        self._starts_m: dict[int, float] = {}
        if lengths is not None and len(self._segments):
            ordered = self._segments.sort_values(["line_id", "sequence"], kind="stable")
            before = ordered.groupby("line_id")["length_m"].cumsum() - ordered["length_m"]
            self._starts_m = before.astype(float).to_dict()

    def counties(self, zone: BaseGeometry, *, city_id: int) -> list[str]:
        """Return the counties of a city that a zone lies in, the largest part first."""
        own = self._counties[(self._counties["parent_id"] == city_id) | (self._counties.index == city_id)]
        area = shapely.area(shapely.intersection(own.geometry.to_numpy(), zone))
        order = np.lexsort((own.index.to_numpy(), -area))
        return [str(own["name"].iloc[row]) for row in order if area[row] > 0]

    def places(self, side: BaseGeometry) -> list[str]:
        """Return the towns and villages inside one side of a zone, towns first, at most two."""
        inside = self._places[shapely.intersects(side, self._places.geometry.to_numpy())]
        ranked = inside.assign(is_town=inside["kind"] == "township").sort_values(
            ["is_town", "name"], ascending=[False, True], kind="stable"
        )
        return [str(name) for name in dict.fromkeys(ranked["name"])][:_MOST_PLACES]

    def stations(self, zone: BaseGeometry) -> list[dict[str, Any]]:
        """Return the buying stations within reach of a zone, nearest first; closed ones are left out."""
        open_ones = self._stations[self._stations["state"] != "closed"]
        away_m = shapely.distance(zone, open_ones.geometry.to_numpy())
        order = np.lexsort((open_ones.index.to_numpy(), away_m))
        return [
            {
                "station_id": int(open_ones.index[row]),
                "name": str(open_ones["name"].iloc[row]),
                "state": str(open_ones["state"].iloc[row]),
                "distance_m": float(round(away_m[row], 1)),
            }
            for row in order
            if away_m[row] <= STATION_REACH_M
        ][:_MOST_STATIONS]

    def sections(self, incident_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Return the stretches of line on which some incidents lie, most incidents first."""
        struck = self._incidents.loc[list(incident_ids)]
        struck = struck[struck["segment_id"].isin(self._segments.index)]
        rows = []
        for line_id, on_line in struck.groupby(
            struck["segment_id"].map(self._segments["line_id"]), sort=True
        ):
            marks_m = self._marks_m(on_line)
            order = np.argsort(marks_m, kind="stable")
            cuts = np.flatnonzero(np.diff(marks_m[order]) > _APART_M) + 1
            rows += [
                self._section(int(str(line_id)), on_line.iloc[run], marks_m[run])
                for run in np.split(order, cuts)
            ]
        rows.sort(key=lambda row: (-row["case_count"], row["name"]))
        return rows[:_MOST_SECTIONS]

    def _marks_m(self, on_line: gpd.GeoDataFrame) -> NDArray[np.float64]:
        """Return the mark of each incident along its line."""
        segments = self._segments.loc[on_line["segment_id"].astype("int64")]
        feet_m = shapely.line_locate_point(
            segments.geometry.to_numpy(), to_metric(on_line[["geometry"]]).geometry.to_numpy()
        )
        drawn_m = shapely.length(segments.geometry.to_numpy())
        start_m = np.array([self._starts_m[segment] for segment in segments.index])
        recorded_m = segments["length_m"].to_numpy(dtype=np.float64)
        marks: NDArray[np.float64] = start_m + np.nan_to_num(feet_m) / drawn_m * recorded_m
        return marks

    def _drawn(self, segments: gpd.GeoDataFrame, first: int, last: int) -> BaseGeometry:
        """Return the segments of a line from one sequence number to another as one line, EPSG:4326."""
        own = segments[segments["sequence"].between(first, last)]
        line: BaseGeometry = _merged(to_stored(own[["geometry"]]).geometry.to_numpy())
        return line

    def nodes(self, incident_ids: Sequence[int], side: BaseGeometry) -> list[str]:
        """Return the nodes of the lines struck on one side of a zone, most incidents first, at most two."""
        struck = self._incidents.loc[list(incident_ids)]
        struck = struck[struck["segment_id"].isin(self._segments.index)]
        counts = struck["segment_id"].astype("int64").value_counts().sort_index(kind="stable")
        own = self._segments.loc[counts.sort_values(ascending=False, kind="stable").index]
        own = own[shapely.intersects(side, own.geometry.to_numpy())]
        return list(
            dict.fromkeys([str(name) for row in own.itertuples() for name in (row.from_node, row.to_node)])
        )[:_MOST_PLACES]

    def _section(self, line_id: int, incidents: pd.DataFrame, marks_m: NDArray[np.float64]) -> dict[str, Any]:
        segments = self._segments[self._segments["line_id"] == line_id].sort_values("sequence")
        struck = segments.loc[list(dict.fromkeys(incidents["segment_id"].astype("int64")))].sort_values(
            "sequence"
        )
        first, last = struck.iloc[0], struck.iloc[-1]
        low_m, high_m = float(marks_m.min()), float(marks_m.max())
        half_m = max(0.0, (_LEAST_SECTION_M - (high_m - low_m)) / 2)
        names = {"from_node": str(first["from_node"]), "to_node": str(last["to_node"])}
        owners = "、".join(dict.fromkeys(str(each) for each in struck["owner"].dropna()))
        return {
            "name": section_name(
                str(first["line_name"]), **names, from_m=max(0.0, low_m - half_m), until_m=high_m + half_m
            ),
            "line_name": str(first["line_name"]),
            **names,
            "from_m": max(0.0, low_m - half_m),
            "until_m": high_m + half_m,
            "case_count": len(incidents),
            "sector": str(first["sector"]),
            "owner": owners,
            "place": str(first["place"]),
            "segments": [int(each) for each in struck.index],
            "geometry": geojson(self._drawn(segments, int(first["sequence"]), int(last["sequence"]))),
        }


def _merged(lines: NDArray[np.object_]) -> BaseGeometry:
    line: BaseGeometry = (
        shapely.line_merge(shapely.multilinestrings(list(lines))) if len(lines) > 1 else lines[0]
    )
    return line


def stretch_name(sides: Sequence[Sequence[str]], *, length_m: float) -> str:
    """Name a stretch of border by the counties on either side: ``鹿邑县、郸城县—睢阳区交界10.1公里``."""
    named = ("、".join(side[:_MOST_PLACES]) or "–" for side in sides)
    return f"{'—'.join(named)}交界{length_m / _M_PER_KM:.1f}公里"


def risk_hours(incidents: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """Weigh the hours and weekdays of some incidents by the intervals in which they happened.

    Parameters
    ----------
    incidents : DataFrame
        ``occurred_from`` and ``occurred_until`` with a time zone.
    seed : int

    Returns
    -------
    dict
        ``hours`` (24 weights) of the incidents whose interval is shorter than a day, ``known_count`` of them; ``weekdays``
        (7, from Monday) of those whose interval is no longer than a day, ``dated_count`` of them: all others say nothing of
        the hour or the day, and spread evenly they would only hide what the known ones say. ``from_hour`` and
        ``until_hour`` of the stretch of hours that holds most, the share it holds as ``share``; all three null where
        there is none, see `risk_window`.
    """
    days = (incidents["occurred_until"] - incidents["occurred_from"]).dt.total_seconds() / 86_400
    is_timed, is_dated = days < 1, days <= 1
    by_hour = _weights(incidents[is_timed], seed=seed).sum(axis=0)
    by_day = _weights(incidents[is_dated], seed=seed).sum(axis=1)
    known = int(is_timed.sum())
    window = risk_window(by_hour.tolist(), known_count=known)
    return {
        "hours": [float(each) for each in by_hour],
        "weekdays": [float(each) for each in by_day],
        "known_count": known,
        "dated_count": int(is_dated.sum()),
        "from_hour": None if window is None else window[0],
        "until_hour": None if window is None else (window[0] + window[1]) % HOURS_A_DAY,
        "share": None if window is None else window[2],
    }


def _weights(incidents: pd.DataFrame, *, seed: int) -> NDArray[np.float64]:
    """Return the weight of some incidents by weekday and hour."""
    told = aoristic_hours(
        incidents["occurred_from"], incidents["occurred_until"], replications=1, draws=1, seed=seed
    )
    return np.asarray(told.matrix, dtype=np.float64)
