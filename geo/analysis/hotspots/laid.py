"""Lay the windows of a search: circles over units, or balls of network distance along lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.ops import substring

from geo.analysis.network.line_network import LineNetwork
from geo.analysis.network.scan_windows import cut_pieces, lay_balls
from geo.analysis.scan import Places, lay_windows, merge_places
from geo.analysis.units import read_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.analysis.hotspots.placing import Placed
    from geo.analysis.network.scan_windows import Pieces
    from geo.analysis.scan import Windows
    from geo.analysis.units import Units

JOIN_M = 25.0
"""Ends of recorded lines no farther apart than this hang on the same pole."""
PIECE_M = 1000.0
"""Longest piece of a line that a search along lines tells apart."""
_JOINED_SEGMENTS = 3
REACH_M = 25_000.0
"""How far along lines a hotspot may reach from its middle; beyond, it is no stretch to guard."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Laid:
    """What is scanned.

    Parameters
    ----------
    units : Units
        What an incident falls on, also when its place is redrawn: the units given, or pieces of them.
    owner : Index
        Id of the unit that each row of ``units.frame`` belongs to.
    unit : ndarray of int64, shape (incidents,)
        Row of ``units.frame`` that each placed incident falls on.
    places : Places
        Rows merged by what the windows tell apart.
    windows : Windows or None
        None where there is nothing to test.
    reason : str or None
        Why not; see `geo.analysis.scan.Scan`.
    """

    units: Units
    owner: pd.Index
    unit: NDArray[np.int64]
    places: Places
    windows: Windows | None
    reason: str | None

    def ids_of(self, positions: NDArray[np.int64]) -> tuple[object, ...]:
        """Return the ids of the units that some rows belong to, in order of row, each once."""
        return tuple(dict.fromkeys(self.owner[positions].tolist()))

    def labels_of(self, positions: NDArray[np.int64]) -> tuple[str, ...]:
        """Return the distinct labels of some rows, most cases first, then by row."""
        labels = self.units.frame["label"].iloc[positions].astype(str)
        counts = np.bincount(self.unit, minlength=len(self.units.frame))[positions]
        cases = pd.Series(counts).groupby(labels.to_numpy(), sort=False).sum()
        return tuple(cases.sort_values(ascending=False, kind="stable").index)

    def is_stacked(self, positions: NDArray[np.int64], placed: Placed) -> bool:
        """Say whether all incidents on some rows stand on centroids that they share."""
        is_inside = np.isin(self.unit, positions)
        return bool(is_inside.any() and placed.is_stacked[is_inside].all())


def lay_circles_over(exposed: Units, placed: Placed, *, max_share: float) -> Laid:
    """Lay circles about the middle of every unit; see `geo.analysis.scan.poisson_scan`."""
    counts = np.bincount(placed.unit, minlength=len(exposed.frame))
    places = merge_places(exposed.xy_m, cases=counts, exposure=exposed.frame["exposure"])
    windows, reason = lay_windows(places, max_share=max_share)
    return Laid(
        units=exposed,
        owner=exposed.frame.index,
        unit=placed.unit,
        places=places,
        windows=windows,
        reason=reason,
    )


def lay_along_lines(exposed: Units, placed: Placed, network: LineNetwork, *, max_share: float) -> Laid:
    """Cut lines into pieces of at most 1 km and lay balls of network distance about each.

    Parameters
    ----------
    exposed : Units
        Lines.
    placed : Placed
        Incidents on them.
    network : LineNetwork
        From `join_lines`.
    max_share : float
        Largest share of the exposure in a window.

    Notes
    -----
    A line's exposure is even along it. Two cables on the same poles stay two: an incident falls on the
    one whose kind it concerns, and a window holds both only where the network joins them.
    """
    pieces = cut_pieces(network.graph, most_m=PIECE_M)
    frame, owner = _piece_frame(exposed.frame, network, pieces)
    units = read_units(frame)
    unit, _ = units.nearest(placed.xy_m, kinds=placed.kinds)
    exposure = units.frame["exposure"].to_numpy(dtype=np.float64)
    counts = np.bincount(unit, minlength=len(exposure))
    places = Places(
        xy_m=units.xy_m, cases=counts, exposure=exposure, place_of=np.arange(len(exposure), dtype=np.int64)
    )
    windows, reason = None, _reason(counts, exposure)
    if reason is None:
        windows = lay_balls(network.graph, pieces, exposure=exposure, max_share=max_share, reach_m=REACH_M)
        reason = None if len(windows.order) else "no_window"
    return Laid(
        units=units,
        owner=owner,
        unit=unit,
        places=places,
        windows=windows if reason is None else None,
        reason=reason,
    )


def join_lines(exposed: Units) -> LineNetwork:
    """Join lines whose ends hang on the same pole to a network."""
    return LineNetwork.from_lines(exposed.frame, tolerance_m=JOIN_M)


def joined_share(network: LineNetwork) -> float:
    """Return the share of the length of line that is joined to at least two other segments, 0 without lines."""
    islands = network.report.islands
    length_m = islands["length_m"].to_numpy(dtype=np.float64)
    is_joined = (islands["segment_count"] >= _JOINED_SEGMENTS).to_numpy()
    return float(length_m[is_joined].sum() / length_m.sum()) if length_m.sum() > 0 else 0.0


def _reason(counts: NDArray[np.int64], exposure: NDArray[np.float64]) -> str | None:
    if np.count_nonzero(exposure) < 2:  # noqa: PLR2004 - one place has nothing to differ from
        return "too_few_locations"
    return None if counts.any() else "no_cases"


def _piece_frame(
    lines: gpd.GeoDataFrame, network: LineNetwork, pieces: Pieces
) -> tuple[gpd.GeoDataFrame, pd.Index]:
    """Return the pieces as units with their part of the exposure, and the id of the line of each."""
    edges = network.edges
    owner = pd.Index(edges["segment"].to_numpy()[pieces.edge])
    length_m = pieces.until_m - pieces.from_m
    on_line = pd.Series(length_m).groupby(owner.to_numpy()).sum()
    columns = {
        "exposure": lines["exposure"].loc[owner].to_numpy() * length_m / on_line.loc[owner].to_numpy(),
        "label": lines["label"].loc[owner].to_numpy(),
    }
    if "kind" in lines.columns:
        columns["kind"] = lines["kind"].loc[owner].to_numpy()
    courses = edges.geometry.to_numpy()[pieces.edge]
    is_part = length_m < network.graph.length_m[pieces.edge] * (1 - 1e-9)
    for row in np.flatnonzero(is_part):
        courses[row] = substring(courses[row], pieces.from_m[row], pieces.until_m[row])
    return gpd.GeoDataFrame(columns, geometry=shapely.normalize(courses), crs=lines.crs), owner
