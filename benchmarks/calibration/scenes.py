"""Two worlds to calibrate in: cells of equal exposure, and a net of cable between towns with unequal exposure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from geo.analysis.simulation import simulate_incidents

SEED = 20080310
DAYS = 360
_MONTHS = 12
_SURGE_MONTH = 5
_SIDE_M = 40_000.0
_WEST, _SOUTH = 400_000.0, 3_800_000.0
_HOT_UNITS = 6
_HOT_PAIRS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A world: units with exposure, and which of them a planted hotspot takes.

    Parameters
    ----------
    name : str
        ``cells`` or ``cable``.
    units : GeoDataFrame
        Polygons or lines with exposure and label; lines also with the columns of sections.
    hot : tuple
        Ids of the units with the planted risk.
    """

    name: str
    units: gpd.GeoDataFrame
    hot: tuple[int, ...]

    @property
    def hot_share(self) -> float:
        """Share of the exposure on the hot units."""
        exposure = self.units["exposure"]
        return float(exposure.loc[list(self.hot)].sum() / exposure.sum())

    def null(self, case_count: int, *, number: int) -> gpd.GeoDataFrame:
        """Return null set `number`: the same risk everywhere and always."""
        return simulate_incidents(self.units, case_count=case_count, days=DAYS, seed=SEED + number)

    def planted(self, case_count: int, *, risk: float, number: int) -> gpd.GeoDataFrame:
        """Return a set with a relative risk on the hot units."""
        return simulate_incidents(
            self.units,
            case_count=case_count,
            days=DAYS,
            seed=SEED - 1 - number,
            hot=self.hot,
            relative_risk=risk,
        )

    def surge(self, case_count: int, *, risk: float, number: int) -> gpd.GeoDataFrame:
        """Return a set with a relative risk on the hot units in one month of twelve only."""
        monthly = pd.concat([self.units.assign(unit=self.units.index)] * _MONTHS, ignore_index=True)
        at = {unit: position for position, unit in enumerate(self.units.index)}
        hot = [_SURGE_MONTH * len(self.units) + at[unit] for unit in self.hot]
        drawn = simulate_incidents(
            monthly,
            case_count=case_count,
            days=DAYS / _MONTHS,
            seed=SEED - 1 - number,
            hot=hot,
            relative_risk=risk,
        )
        month = drawn["unit"].to_numpy() // len(self.units)
        return drawn.assign(
            day=drawn["day"] + month * (DAYS / _MONTHS), unit=monthly["unit"].loc[drawn["unit"]].to_numpy()
        )

    def repeats(self, case_count: int, *, risk: float, number: int) -> gpd.GeoDataFrame:
        """Return a set in which an incident brings another within 500 m and 7 days, `risk` times in a hundred."""
        drawn = self.null(case_count, number=-1 - number)
        rng = np.random.default_rng(SEED + number)
        follows = np.flatnonzero(rng.random(case_count) < risk / 100)
        follows = follows[follows > 0]
        xy_m = shapely.get_coordinates(drawn.geometry.to_numpy())
        days = drawn["day"].to_numpy().copy()
        # The set keeps its size: an incident becomes the repeat of the one before it.
        away_m, angle = 500 * np.sqrt(rng.random(len(follows))), rng.random(len(follows)) * 2 * np.pi
        xy_m[follows] = xy_m[follows - 1] + np.column_stack((away_m * np.cos(angle), away_m * np.sin(angle)))
        days[follows] = days[follows - 1] + rng.random(len(follows)) * 7
        return drawn.set_geometry(shapely.points(xy_m), crs=drawn.crs).assign(day=days)


@cache
def cells() -> Scene:
    """Return 400 cells of 2 km, 20 x 20, with equal exposure."""
    side = 20
    step = _SIDE_M / side
    squares = [
        shapely.box(_WEST + step * i, _SOUTH + step * j, _WEST + step * (i + 1), _SOUTH + step * (j + 1))
        for j in range(side)
        for i in range(side)
    ]
    units = gpd.GeoDataFrame({"exposure": np.ones(len(squares)), "label": "cell"}, geometry=squares, crs=4547)
    hot = tuple(side * j + i for j in (6, 7, 8) for i in (12, 13))
    return Scene(name="cells", units=units, hot=hot)


@cache
def cable() -> Scene:
    """Return some 600 segments of about 1 km: crooked lines along a connected net of 24 towns.

    Lines carry 50 to 300 pairs, so exposure per kilometre differs sixfold.
    """
    rng = np.random.default_rng(SEED)
    towns = rng.random((24, 2)) * 100_000 + [_WEST, _SOUTH]
    away = cdist(towns, towns)
    links = set(zip(*np.nonzero(np.triu(_symmetric(minimum_spanning_tree(away).toarray()))), strict=True))
    near = np.argsort(np.where(np.triu(away, 1) > 0, away, np.inf), axis=None)
    for flat in near:
        if len(links) == 32:  # noqa: PLR2004 - the tree's 23 and nine that close loops
            break
        links.add(tuple(int(each) for each in np.unravel_index(flat, away.shape)))
    frames = [_line(rng, number, towns[a], towns[b], (a, b)) for number, (a, b) in enumerate(sorted(links))]
    units = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=4547)
    stout = units.loc[units["pairs"] == _HOT_PAIRS, "line_name"]
    on_line = units.index[units["line_name"] == stout.iloc[len(stout) // 2]]
    start = len(on_line) // 3
    return Scene(name="cable", units=units, hot=tuple(on_line[start : start + _HOT_UNITS]))


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return np.maximum(matrix, matrix.T)


def _line(
    rng: np.random.Generator, number: int, start: np.ndarray, end: np.ndarray, towns: tuple[int, int]
) -> pd.DataFrame:
    """Return one crooked line between two towns, cut into segments of about a kilometre."""
    count = max(3, round(float(np.hypot(*(end - start))) / 1000))
    at = np.linspace(0, 1, count + 1)[:, None]
    bridge = np.cumsum(rng.normal(0, 250, (count + 1, 2)), axis=0)
    # A random walk tied to both ends keeps the line crooked and the net connected.
    points = start + at * (end - start) + bridge - bridge[0] - at * (bridge[-1] - bridge[0])
    pieces = [shapely.LineString(points[k : k + 2]) for k in range(count)]
    length_m = shapely.length(pieces)
    pairs = int(rng.choice([50, 100, 200, 300], p=[0.4, 0.3, 0.2, 0.1]))
    names = [f"town {towns[0]}", *(f"pole {number}-{k}" for k in range(1, count)), f"town {towns[1]}"]
    return pd.DataFrame(
        {
            "line_name": f"line {number}",
            "sequence": np.arange(1, count + 1),
            "from_node": names[:-1],
            "to_node": names[1:],
            "owner": "owner",
            "place": "",
            "kind": "copper",
            "label": f"line {number}",
            "length_m": length_m,
            "pairs": pairs,
            "exposure": pairs * length_m / 1000 * 180,
            "geometry": pieces,
        }
    )
