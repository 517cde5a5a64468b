"""Turn the clusters of a scan into candidates: outlines with the ids and labels of what lies inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from geo.analysis.hotspots.laid import Laid

OUTLINE_MARGIN_M = 300.0
"""How far the outline of a cluster of lines stands off the lines."""
MOST_ROWS = 20
MOST_P = 0.5


def candidates_of(found: pd.DataFrame, laid: Laid) -> gpd.GeoDataFrame:
    """Return the clusters worth keeping: p up to .5, at most 20, always the strongest.

    Parameters
    ----------
    found : DataFrame
        `Scan.clusters`.
    laid : Laid
        What was scanned.

    Returns
    -------
    GeoDataFrame
        With ``positions`` (rows of ``laid.units.frame``) beside the columns of `Hotspots.clusters`; nothing
        has been redrawn and nothing is a hotspot yet.
    """
    kept = found[(found["p"] <= MOST_P) | (found["rank"] == 1)].head(MOST_ROWS).reset_index(drop=True)
    positions = [np.array(members, dtype=np.int64) for members in kept["members"]]
    clusters = gpd.GeoDataFrame(
        kept.drop(columns=["centre", "members"]),
        geometry=[laid.units.outline(members, margin_m=OUTLINE_MARGIN_M) for members in positions],
        crs=laid.units.frame.crs,
    )
    # As series of objects: a list of equally long tuples would be taken for a table.
    clusters["members"] = pd.Series([laid.ids_of(members) for members in positions], dtype=object)
    clusters["labels"] = pd.Series([laid.labels_of(members) for members in positions], dtype=object)
    clusters["stable_share"] = np.full(len(kept), np.nan)
    clusters["is_hotspot"] = np.zeros(len(kept), dtype=np.bool_)
    clusters["positions"] = pd.Series(positions, dtype=object)
    return clusters
