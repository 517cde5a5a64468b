"""Say what the page of pairs is given to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    import geopandas as gpd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairShown:
    """Two records that may be one event.

    Parameters
    ----------
    pair_id : int
    state : {"proposed", "merged", "kept"}
    score : float
        0 to 1.
    reasons : tuple of dict
        Of `geo.analysis.duplicate_scores.reasons_of`.
    etag : str
    sides : GeoDataFrame
        The two records, the left one first, EPSG:4326, indexed by incident id.
    borders : GeoDataFrame
        Lines about them, with ``level``.
    """

    pair_id: int
    state: str
    score: float
    reasons: tuple[dict[str, Any], ...]
    etag: str
    sides: gpd.GeoDataFrame
    borders: gpd.GeoDataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionShown:
    """One decision, and whether it is the last about its pair.

    Parameters
    ----------
    pair_id : int
    decision : {"merged", "kept", "reopened"}
    numbers : tuple of (str, str)
        Source and case number of the left and the right record.
    kept_side : int or None
        0 left, 1 right, of a merge.
    decided_by, note : str
    decided_at : datetime
    state : str
        Of the pair now.
    is_last : bool
    etag : str
        Of the pair now.
    """

    pair_id: int
    decision: str
    numbers: tuple[tuple[str, str], ...]
    kept_side: int | None
    decided_by: str
    note: str
    decided_at: datetime
    state: str
    is_last: bool
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DuplicatesView:
    """One page of pairs.

    Parameters
    ----------
    state : str or None
        Which pairs; None for all.
    is_first : bool
        Whether this is the first page.
    counts : dict of str to int
        Pairs by state.
    pairs : tuple of PairShown
        The strongest first.
    following : int or None
        Id behind which the next page begins.
    decisions : tuple of DecisionShown
        The last ones, the newest first.
    """

    state: str | None
    is_first: bool
    counts: dict[str, int]
    pairs: tuple[PairShown, ...]
    following: int | None
    decisions: tuple[DecisionShown, ...]
