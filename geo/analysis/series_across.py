"""Select the linked incidents that lie on both sides of a border, and lay them out for a table and a map (串并案).

A link says that two incidents are alike beyond chance. It says nothing of any person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.places import check_metric, place_coordinates
from geo.analysis.series import Linkage, link_incidents, pair_table
from geo.analysis.series_chance import Exchanged, exchanged_scores
from geo.analysis.series_evidence import KINDS, evidence, read_traits
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from geo.analysis.series_evidence import Traits

    Floats = NDArray[np.float64]

LEAST_ODDS = 0.25
"""From which odds a pair is taken as linked."""
_ALTERNATIVES, _DOWN_TO = 3, 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinkedAcross:
    """Candidates for series, with the sides of a border on which they lie.

    Parameters
    ----------
    linkage : Linkage
        Of all incidents of all sides together.
    chains : DataFrame
        `Linkage.chains` with ``sides`` (tuple, in order of their first incident), ``is_across`` (two sides or more)
        and ``across_count`` (its links that cross); those across first, each group strongest first.
    links : DataFrame
        `Linkage.pairs` with ``side_a``, ``side_b``, ``is_across`` and ``is_side_unsure`` (a disc of the pair reaches
        into another side, so that it may cross or not).
    alternatives : DataFrame
        Columns of `links`, ``chain`` 0: for each incident up to three pairs below the bar, and up to three below it
        that cross, at least a tenth of the bar; strongest first.
    incidents : GeoDataFrame
        Rows of the incidents that a chain or an alternative names, with ``side``, ``chain`` and ``is_side_unsure``.
    lines : GeoDataFrame
        Segments from incident to incident for links and alternatives: ``incident_a``, ``incident_b``, ``chain``, ``odds``,
        ``is_across``, ``is_linked`` (an alternative is not), ``radius_sum_m``. Pairs of one and the same point, or
        without one, have no segment.
    across_count : int
        Linked pairs that cross.
    across_chance : float or None
        As many to expect if times and kinds were exchanged among the places.
    across_p : float
        p of so many.
    """

    linkage: Linkage
    chains: pd.DataFrame
    links: pd.DataFrame
    alternatives: pd.DataFrame
    incidents: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    across_count: int
    across_chance: float | None
    across_p: float

    @property
    def reason(self) -> str | None:
        """Why there is nothing: ``too_few_incidents``, ``one_side`` (all lie on one), or None."""
        if self.linkage.reason is not None:
            return self.linkage.reason
        return None if self.across_chance is not None else "one_side"


def series_across(
    incidents: gpd.GeoDataFrame,
    *,
    side: pd.Series[Any] | ArrayLike,
    areas: gpd.GeoDataFrame | None = None,
    loss_items: pd.DataFrame | None = None,
    linked_m: float = 8_000.0,
    linked_days: float = 30.0,
    partners: float = 1.0,
    min_odds: float = LEAST_ODDS,
    replications: int = 99,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> LinkedAcross:
    """Link incidents and say which links and chains cross from one side to another.

    Parameters
    ----------
    incidents : GeoDataFrame of points, metric CRS
        See `geo.analysis.series.link_incidents`.
    side : Series or array-like, shape (n,)
        Side of each incident (name or code of its city); None where it is not known: such an incident is on no side.
    areas : GeoDataFrame of polygons, same CRS, optional
        Indexed by side; only for saying whose disc reaches into another side.
    loss_items : DataFrame, optional
    linked_m, linked_days, partners, min_odds : float
        See `link_incidents`.
    replications, seed : int
        Exchanged sets and their seed.
    progress : callable, optional
        Called with (replications done, replications) of both comparisons together; may raise to stop.

    Returns
    -------
    LinkedAcross

    Raises
    ------
    UnitError
        If a frame is not in metres.
    InvalidInputError
        As `link_incidents`; if `side` has another length or index, or `areas` another coordinate system.

    Notes
    -----
    A border changes nothing of the evidence: pairs are weighed as if it were not there, and marked afterwards. Chance
    for pairs across: places stay, so that the same pairs of places cross in every exchanged set; only these are
    counted.
    """
    sides = _sides(side, incidents)
    is_unsure = _unsure(incidents, sides, areas)

    def told(offset: int) -> Callable[[int, int], None] | None:
        if progress is None:
            return None
        return lambda done, total: progress(offset + done, 2 * total)

    linkage = link_incidents(
        incidents,
        loss_items=loss_items,
        linked_m=linked_m,
        linked_days=linked_days,
        partners=partners,
        min_odds=min_odds,
        replications=replications,
        seed=seed,
        progress=told(0),
    )
    crosses = _crossing(sides)
    alternatives, chance = linkage.alternatives, None
    if linkage.reason is None and crosses.any():
        traits = read_traits(incidents, loss_items=loss_items)
        parts = evidence(traits, linked_m=linked_m, linked_days=linked_days)
        chance = _chance_across(
            parts, crosses, replications=replications, seed=seed, progress=told(replications)
        )
        more = _alternatives_across(incidents.index, traits, parts, crosses, linkage, chance)
        alternatives = _merged(linkage.alternatives, more)
    known = pd.DataFrame({"side": sides, "is_unsure": is_unsure}, index=incidents.index)
    links, others = (_with_sides(frame, known) for frame in (linkage.pairs, alternatives))
    across_count = int(links["is_across"].sum())
    least_score = float(np.log(min_odds * max(len(incidents) - 1, 1) / partners))
    chains = _chains(linkage.chains, links, known)
    return LinkedAcross(
        linkage=linkage,
        chains=chains,
        links=links,
        alternatives=others,
        incidents=_named(incidents, chains, others, known),
        lines=_lines(incidents, links, others),
        across_count=across_count,
        across_chance=None if chance is None else float(chance.pairs(np.array(least_score))),
        across_p=1.0 if chance is None else chance.p(least_score, count=across_count),
    )


def _sides(side: pd.Series[Any] | ArrayLike, incidents: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the side of each incident, None where it is not known."""
    if isinstance(side, pd.Series) and not side.index.equals(incidents.index):
        raise InvalidInputError("side must have the index of the incidents")
    sides = np.array(side, dtype=np.object_)
    if sides.shape != (len(incidents),):
        raise InvalidInputError(f"side must name one side for each of the {len(incidents)} incidents")
    sides[pd.isna(sides)] = None
    return sides


def _crossing(sides: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Return which pairs lie on two sides, shape (n, n)."""
    codes = pd.factorize(sides)[0]
    is_known = codes >= 0
    return np.asarray((codes[:, None] != codes[None, :]) & is_known[:, None] & is_known[None, :])


def _unsure(
    incidents: gpd.GeoDataFrame, sides: NDArray[np.object_], areas: gpd.GeoDataFrame | None
) -> NDArray[np.bool_]:
    """Return whose disc reaches into an area of another side."""
    is_unsure = np.zeros(len(incidents), dtype=np.bool_)
    if areas is None or incidents.empty:
        return is_unsure
    check_metric(areas, name="areas")
    if areas.crs != incidents.crs:
        raise InvalidInputError("areas and incidents must share one coordinate system")
    points = incidents.geometry.to_numpy()
    radius_m = incidents["radius_m"].to_numpy(dtype=np.float64, na_value=np.nan)
    for name, shape in areas.geometry.items():
        # Comparisons with a missing place or radius are false: such an incident is on the side of its record.
        with np.errstate(invalid="ignore"):
            reaches = shapely.distance(shape, points) < radius_m
        is_unsure |= reaches & (sides != name)
    return is_unsure


def _chance_across(
    parts: dict[str, Floats],
    crosses: NDArray[np.bool_],
    *,
    replications: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> Exchanged:
    """Score exchanged sets with every pair of places that does not cross sunk below all scores that count."""
    reach = sum(float(np.ptp(part)) for part in parts.values())
    sunk = parts["place"] - np.where(crosses, 0.0, reach + 1.0)
    return exchanged_scores(parts | {"place": sunk}, replications=replications, seed=seed, progress=progress)


def _alternatives_across(
    index: pd.Index,
    traits: Traits,
    parts: dict[str, Floats],
    crosses: NDArray[np.bool_],
    linkage: Linkage,
    chance: Exchanged,
) -> pd.DataFrame:
    """Return, for each incident, the three best pairs across between a tenth of the bar and the bar."""
    n = len(index)
    odds = np.exp(np.sum([parts[kind] for kind in KINDS], axis=0)) * linkage.partners / max(n - 1, 1)
    is_below = crosses & (odds < linkage.min_odds) & (odds >= linkage.min_odds / _DOWN_TO)
    best = np.argsort(np.where(is_below, -odds, np.inf), axis=1, kind="stable")[:, :_ALTERNATIVES]
    chosen = np.zeros_like(is_below)
    np.put_along_axis(chosen, best, np.take_along_axis(is_below, best, axis=1), axis=1)
    where = np.argwhere(np.triu(chosen | chosen.T, k=1))
    none = np.zeros(n, dtype=np.int64)
    return pair_table(index, where, traits, parts, odds=odds, chance=chance, chain=none)


def _merged(known: pd.DataFrame, across: pd.DataFrame) -> pd.DataFrame:
    """Return both sets of alternatives, each pair once and the strongest first."""
    keys = [
        (row["incident_a"], row["incident_b"])
        for row in known[["incident_a", "incident_b"]].to_dict("records")
    ]
    pairs = across[["incident_a", "incident_b"]].to_dict("records")
    is_new = [(row["incident_a"], row["incident_b"]) not in set(keys) for row in pairs]
    fresh = across[np.array(is_new, dtype=np.bool_)]
    if fresh.empty:
        return known
    both = fresh if known.empty else pd.concat([known, fresh], ignore_index=True)
    return both.sort_values("odds", ascending=False, kind="stable", ignore_index=True)


def _with_sides(pairs: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Say of each pair on which sides it lies."""
    first, second = (known.reindex(pairs[name]) for name in ("incident_a", "incident_b"))
    side_a, side_b = (each["side"].to_numpy(dtype=np.object_) for each in (first, second))
    is_known = ~(pd.isna(side_a) | pd.isna(side_b))
    unsure = first["is_unsure"].to_numpy(dtype=np.bool_) | second["is_unsure"].to_numpy(dtype=np.bool_)
    return pairs.assign(
        side_a=side_a,
        side_b=side_b,
        is_across=np.asarray(is_known & (side_a != side_b), dtype=np.bool_),
        is_side_unsure=unsure,
    )


def _chains(chains: pd.DataFrame, links: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Say of each chain on which sides it lies; those on several come first."""
    sides = [
        tuple(dict.fromkeys(side for side in known.loc[list(members), "side"] if not pd.isna(side)))
        for members in chains["members"]
    ]
    crossing = links[links["is_across"]].groupby("chain").size()
    rows = chains.assign(
        sides=pd.Series(sides, index=chains.index, dtype=object),
        is_across=np.array([len(each) > 1 for each in sides], dtype=np.bool_),
        across_count=chains["chain"].map(crossing).fillna(0).astype(np.int64),
    )
    return rows.sort_values(
        ["is_across", "strongest_odds"], ascending=[False, False], kind="stable", ignore_index=True
    )


def _named(
    incidents: gpd.GeoDataFrame, chains: pd.DataFrame, others: pd.DataFrame, known: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Return the incidents that a chain or an alternative names."""
    chain_of = {
        member: number
        for number, members in zip(chains["chain"], chains["members"], strict=True)
        for member in members
    }
    named = set(chain_of) | set(others["incident_a"]) | set(others["incident_b"])
    rows = incidents[incidents.index.isin(list(named))]
    own = known.reindex(rows.index)
    return rows.assign(
        side=own["side"],
        chain=[chain_of.get(each, 0) for each in rows.index],
        is_side_unsure=own["is_unsure"],
    )


def _lines(incidents: gpd.GeoDataFrame, links: pd.DataFrame, others: pd.DataFrame) -> gpd.GeoDataFrame:
    """Draw a segment for every pair of two places."""
    columns = ["incident_a", "incident_b", "chain", "odds", "is_across", "radius_sum_m"]
    frames = [
        frame[columns].assign(is_linked=is_linked)
        for frame, is_linked in ((links, True), (others, False))
        if len(frame)
    ]
    if not frames:
        empty = links[columns].assign(is_linked=np.zeros(0, dtype=np.bool_))
        return gpd.GeoDataFrame(empty, geometry=[], crs=incidents.crs)
    pairs = pd.concat(frames, ignore_index=True)
    places = pd.DataFrame(place_coordinates(incidents), index=incidents.index)
    ends = np.stack([places.loc[pairs[name]].to_numpy() for name in ("incident_a", "incident_b")], axis=1)
    is_drawn = np.isfinite(ends).all(axis=(1, 2)) & (ends[:, 0] != ends[:, 1]).any(axis=1)
    drawn = pairs[is_drawn].reset_index(drop=True)
    return gpd.GeoDataFrame(drawn, geometry=shapely.linestrings(ends[is_drawn]), crs=incidents.crs)
