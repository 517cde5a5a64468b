"""Name incidents that may belong together, with the reasons for and against each pair (串并案).

A link says that two incidents are alike beyond chance. It says nothing of any person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from geo.analysis.scan import check_runs
from geo.analysis.series_chance import Exchanged, exchanged_scores
from geo.analysis.series_evidence import KINDS, Traits, evidence, read_traits
from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

CHAIN_COLUMNS = (
    "chain",
    "members",
    "incident_count",
    "first_from",
    "last_until",
    "span_m",
    "link_count",
    "strongest_odds",
    "weakest_odds",
)
_TELLING = 0.3
_ALTERNATIVES, _ALTERNATIVES_DOWN_TO = 3, 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linkage:
    """Candidates for series among incidents.

    Parameters
    ----------
    pairs : DataFrame
        One row a linked pair, strongest first: ``incident_a``, ``incident_b`` (index values, the earlier
        first); ``score`` = sum of the evidence ``place``, ``time``, ``hour``, ``category``, ``items`` (natural
        logarithms of likelihood ratios); ``odds`` for a link against none; ``chance_pairs`` = pairs of at
        least this score to expect if times and kinds were exchanged among the places; the numbers behind:
        ``distance_m``, ``radius_sum_m``, ``days_apart`` (of the middles), ``days_unsure`` (standard deviation
        of that), ``hour_overlap`` (0 to 1), ``is_same_category``, ``is_same_sector``, ``shared_kinds``,
        ``shared_pairs`` (tuples); ``reasons`` and ``against`` = kinds of evidence of at least .3 either way,
        strongest first; ``chain``.
    chains : DataFrame
        One row a connected group of linked pairs, strongest first: ``chain`` from 1; ``members`` (index values
        in order of time); ``incident_count``; ``first_from``, ``last_until``; ``span_m`` = largest distance;
        ``link_count``; ``strongest_odds``; ``weakest_odds`` = odds at which it would fall apart.
    alternatives : DataFrame
        Columns of `pairs`: for each incident up to three pairs that come next below the bar, at least a
        tenth of it; ``chain`` is 0.
    incident_count : int
        Incidents compared.
    chance_count : float or None
        Linked pairs to expect if times and kinds were exchanged among the places: so many of `pairs` are
        likely to be chance, whatever their odds, which rest on the prior `partners`.
    p : float
        p of as many linked pairs as there are; well above 0 where there may be no series at all.
    partners, min_odds, linked_m, linked_days, replications, seed
        As given.
    reason : str or None
        ``too_few_incidents``: fewer than three, so that chance has no measure.
    """

    pairs: pd.DataFrame
    chains: pd.DataFrame
    alternatives: pd.DataFrame
    incident_count: int
    chance_count: float | None
    p: float
    partners: float
    min_odds: float
    linked_m: float
    linked_days: float
    replications: int
    seed: int
    reason: str | None = None


def link_incidents(
    incidents: gpd.GeoDataFrame,
    *,
    loss_items: pd.DataFrame | None = None,
    distance_m: ArrayLike | None = None,
    linked_m: float = 8_000.0,
    linked_days: float = 30.0,
    partners: float = 1.0,
    min_odds: float = 0.25,
    replications: int = 99,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Linkage:
    """Find pairs of incidents that are alike beyond chance, and the chains that they form.

    Parameters
    ----------
    incidents : GeoDataFrame of points, metric CRS
        Columns ``occurred_from``, ``occurred_until`` (with a time zone), ``radius_m``, ``category``, ``sector``;
        unique index. A place or code may be missing: then it says nothing either way.
    loss_items : DataFrame, optional
        Rows of losses, indexed by the index value of their incident, columns ``kind`` and ``pairs``.
    distance_m : array-like, shape (n, n), optional
        Distances along the lines; straight ones otherwise.
    linked_m, linked_days : float
        How far apart, along each axis, and how many days apart incidents of a series lie (standard
        deviations), > 0.
    partners : float
        How many of the others an incident belongs with on average, > 0 and below n - 1: the prior.
    min_odds : float
        Odds from which a pair is listed: .25 lists candidates to be looked into, of which at least one in
        five should hold.
    replications : int
        Exchanged sets, for `Linkage.p` and what chance gives.
    seed : int
        Seed >= 0; the result depends on nothing else that is random.
    progress : callable, optional
        Called with (replications done, replications); may raise to stop.

    Returns
    -------
    Linkage

    Raises
    ------
    UnitError
        If the frame is not in metres.
    InvalidInputError
        If a column is missing, a time or radius cannot be right, a loss belongs to no incident, or there are
        more than `geo.analysis.series_evidence.MOST_INCIDENTS` incidents.

    Notes
    -----
    score = sum over the kinds of evidence of ln(f + (1 - f) likeness / chance); see
    `geo.analysis.series_evidence.evidence`. odds = exp(score) x partners / (n - 1). Kinds are taken to be
    independent; losses are compared within a category only, so that one fact is not counted twice.

    Chains hold whatever is linked through others: of a long chain read ``weakest_odds`` and each pair's
    ``against`` before believing it.

    Cost: O(n^2) memory and O(n^2 R).

    References
    ----------
    Porter, M. D. (2016). A statistical approach to crime linkage. The American Statistician 70(2), 152-165.
    """
    check_runs(replications=replications, seed=seed)
    _check_figures(linked_m=linked_m, linked_days=linked_days, partners=partners, min_odds=min_odds)
    traits = read_traits(incidents, loss_items=loss_items, distance_m=distance_m)
    parts = evidence(traits, linked_m=linked_m, linked_days=linked_days)
    n = len(incidents)
    score = np.sum([parts[kind] for kind in KINDS], axis=0).reshape(n, n)
    odds = np.exp(score) * partners / max(n - 1, 1)
    reason = "too_few_incidents" if n < 3 else None  # noqa: PLR2004 - a pair needs a third to compare with
    linked = np.zeros_like(odds, dtype=np.bool_) if reason else np.triu(odds >= min_odds, k=1)
    near = np.zeros_like(linked) if reason else _next_below(odds, min_odds=min_odds)
    chance = None
    if reason is None:
        chance = exchanged_scores(parts, replications=replications, seed=seed, progress=progress)
    least_score = float(np.log(min_odds * max(n - 1, 1) / partners))
    chain = _chains_of(linked, odds)
    tables = [
        pair_table(incidents.index, np.argwhere(chosen), traits, parts, odds=odds, chance=chance, chain=chain)
        for chosen in (linked, near)
    ]
    return Linkage(
        pairs=tables[0],
        chains=_chain_table(incidents, linked, odds, chain, traits),
        alternatives=tables[1].assign(chain=0),
        incident_count=n,
        chance_count=None if chance is None else float(chance.pairs(np.array(least_score))),
        p=1.0 if chance is None else chance.p(least_score, count=int(linked.sum())),
        partners=partners,
        min_odds=min_odds,
        linked_m=linked_m,
        linked_days=linked_days,
        replications=replications,
        seed=seed,
        reason=reason,
    )


def _check_figures(**figures: float) -> None:
    """Refuse figures that are not finite and above 0."""
    for name, figure in figures.items():
        if isinstance(figure, bool) or not isinstance(figure, (int, float, np.integer, np.floating)):
            raise InvalidInputError(f"{name} must be a number")
        if not np.isfinite(figure) or figure <= 0:
            raise InvalidInputError(f"{name} must be finite and above 0")


def _next_below(odds: Floats, *, min_odds: float) -> NDArray[np.bool_]:
    """Return, as an upper triangle, the three best pairs of each incident between a tenth of the bar and the bar."""
    is_below = (odds < min_odds) & (odds >= min_odds / _ALTERNATIVES_DOWN_TO)
    np.fill_diagonal(is_below, val=False)
    best = np.argsort(np.where(is_below, -odds, np.inf), axis=1, kind="stable")[:, :_ALTERNATIVES]
    chosen = np.zeros_like(is_below)
    np.put_along_axis(chosen, best, np.take_along_axis(is_below, best, axis=1), axis=1)
    return np.triu(chosen | chosen.T, k=1)


def _chains_of(linked: NDArray[np.bool_], odds: Floats) -> NDArray[np.int64]:
    """Return the chain of each incident, numbered from 1 by the strongest pair; 0 for those without a link."""
    _, component = connected_components(coo_matrix(linked), directed=False)
    best = np.where(linked | linked.T, odds, 0).max(axis=1, initial=0)
    strength = pd.Series(best).groupby(component).max().sort_values(ascending=False, kind="stable")
    names = pd.Series(np.arange(1, len(strength) + 1), index=strength.index)[strength > 0]
    return np.asarray(pd.Series(component).map(names).fillna(0).to_numpy(), dtype=np.int64)


def pair_table(
    index: pd.Index,
    where: NDArray[np.int64],
    traits: Traits,
    parts: dict[str, Floats],
    *,
    odds: Floats,
    chance: Exchanged | None,
    chain: NDArray[np.int64],
) -> pd.DataFrame:
    """Lay pairs out as rows of `Linkage.pairs`, the earlier incident first and the strongest pair first.

    Parameters
    ----------
    index : Index, shape (n,)
        Of the incidents.
    where : ndarray of int64, shape (pairs, 2)
        Positions of the incidents of each pair.
    traits : Traits
    parts : dict
        Evidence by kind, from `geo.analysis.series_evidence.evidence`.
    odds : ndarray of float64, shape (n, n)
    chance : Exchanged or None
        Scores of exchanged sets.
    chain : ndarray of int64, shape (n,)
        Chain of each incident, 0 for none.
    """
    is_turned = traits.day[where[:, 0]] > traits.day[where[:, 1]]
    where = np.where(is_turned[:, None], where[:, ::-1], where)
    where = where[np.argsort(-odds[where[:, 0], where[:, 1]], kind="stable")]
    a, b = where[:, 0], where[:, 1]
    weights = {kind: parts[kind][a, b] for kind in KINDS}
    rows = pd.DataFrame({"incident_a": index[a], "incident_b": index[b]})
    rows["score"] = np.sum(list(weights.values()), axis=0)
    rows["odds"] = odds[a, b]
    rows["chance_pairs"] = np.nan if chance is None else chance.pairs(rows["score"].to_numpy())
    rows = rows.assign(**weights)
    rows["distance_m"] = traits.distance_m[a, b]
    rows["radius_sum_m"] = traits.radius_m[a] + traits.radius_m[b]
    rows["days_apart"] = np.abs(traits.day[a] - traits.day[b])
    rows["days_unsure"] = np.hypot(traits.day_spread[a], traits.day_spread[b])
    rows["hour_overlap"] = np.minimum(traits.hours[a], traits.hours[b]).sum(axis=1)
    rows["is_same_category"] = (traits.category[a] == traits.category[b]) & (traits.category[a] >= 0)
    rows["is_same_sector"] = (traits.sector[a] == traits.sector[b]) & (traits.sector[a] >= 0)
    rows["shared_kinds"] = _objects(_shared(traits.kinds[a] & traits.kinds[b], traits.kind_names))
    rows["shared_pairs"] = _objects(_shared(traits.gauges[a] & traits.gauges[b], traits.gauge_names))
    strengths = np.column_stack([weights[kind] for kind in KINDS])
    rows["reasons"] = _objects([_telling(row) for row in strengths])
    rows["against"] = _objects([_telling(-row) for row in strengths])
    rows["chain"] = chain[a]
    return rows


def _objects(tuples: list[tuple[object, ...]]) -> pd.Series:
    """Return tuples as a column; a list of equally long ones would be taken for a table."""
    return pd.Series(tuples, dtype=object)


def _shared(held: NDArray[np.bool_], names: tuple[object, ...]) -> list[tuple[object, ...]]:
    """Return the names of what each row holds."""
    return [tuple(names[column] for column in np.flatnonzero(row)) for row in held]


def _telling(strengths: Floats) -> tuple[object, ...]:
    """Return the kinds of evidence that weigh, heaviest first."""
    order = np.argsort(-strengths, kind="stable")
    return tuple(KINDS[place] for place in order if strengths[place] >= _TELLING)


def _chain_table(
    incidents: gpd.GeoDataFrame,
    linked: NDArray[np.bool_],
    odds: Floats,
    chain: NDArray[np.int64],
    traits: Traits,
) -> pd.DataFrame:
    """Lay chains out as rows."""
    rows = []
    for number in range(1, int(chain.max(initial=0)) + 1):
        members = np.flatnonzero(chain == number)
        members = members[np.argsort(traits.day[members], kind="stable")]
        inside = np.ix_(members, members)
        pairs = (linked | linked.T)[inside]
        held = np.where(pairs, odds[inside], 0)
        away_m = traits.distance_m[inside]
        rows.append(
            (
                number,
                tuple(incidents.index[members]),
                len(members),
                incidents["occurred_from"].iloc[members].min(),
                incidents["occurred_until"].iloc[members].max(),
                float(np.nanmax(away_m)) if np.isfinite(away_m).any() else np.nan,
                int(pairs.sum()) // 2,
                float(held.max()),
                _weakest(held),
            )
        )
    return pd.DataFrame(rows, columns=list(CHAIN_COLUMNS))


def _weakest(odds: Floats) -> float:
    """Return the odds of the weakest pair that the strongest tree through a chain needs."""
    a, b = np.nonzero(np.triu(odds, k=1))
    # The strongest tree is the least one of the reciprocals; all odds here are above 0.
    tree = minimum_spanning_tree(coo_matrix((1 / odds[a, b], (a, b)), shape=odds.shape))
    return float(1 / tree.data.max())
