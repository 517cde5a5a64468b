"""Match tickets of utilities with incidents of the police: one to one, at least total cost, unmatched being a choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

from geo.analysis.reconciliation_scores import register_of, score_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.analysis.reconciliation_scores import Register

CLEAR_MARGIN = float(np.log(20))
"""A match is clear when the best reading of the books without it is at least twenty times less likely."""
EXPECTED_CAUSES = ("theft", "damage", "unknown")
"""Causes of tickets that an incident may stand behind."""
REASONS = ("taken", "apart", "place", "time", "unlike", "weak", "none")
"""Why a record found no partner; see `Reconciliation`."""

_DENSE_CELLS = 250_000
_EXACT_ROWS = 25
_FACTS = ["distance_m", "gap_hours", "overlap_hours", "score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What belongs together in two books, and what stands in one of them only.

    Parameters
    ----------
    matches : DataFrame
        incident_id, ticket_id, distance_m (NaN where one side is known by area only), gap_hours (0 where the
        intervals meet, negative when the ticket comes first), overlap_hours, score (log likelihood ratio),
        margin (how much the best total falls without this match) and is_clear; in order of incident id.
    open_incidents, open_tickets : DataFrame
        Indexed by id, with the nearest candidate of the other book: nearest_id (NaN without any),
        distance_m, gap_hours, overlap_hours, score, and reason: ``taken`` (fits, but its partner fits another
        better), ``apart`` (fits a ticket booked as weather or fault), ``place``, ``time`` or ``unlike`` (what
        speaks most against it), ``weak`` (fits no better than chance, so vague are the records), ``none``.
    """

    matches: pd.DataFrame
    open_incidents: pd.DataFrame
    open_tickets: pd.DataFrame


def reconcile(
    incidents: gpd.GeoDataFrame, tickets: gpd.GeoDataFrame, *, apart: gpd.GeoDataFrame | None = None
) -> Reconciliation:
    """Match tickets and incidents.

    Parameters
    ----------
    incidents, tickets : GeoDataFrame
        Points or None in a metric CRS, indexed by id, with `geo.analysis.reconciliation_scores.COLUMNS`.
    apart : GeoDataFrame, optional
        Tickets booked as weather or fault: never matched, but named where one fits an open incident.

    Returns
    -------
    Reconciliation
        The same for any order of the rows.

    Notes
    -----
    Only pairs that are likelier one event than two (score above 0) may be matched. Their graph falls into
    connected components, each of which is solved exactly: maximum total score is least total cost, with 0
    for whoever stays alone. Equal totals are decided by the order of ids. The margin is exact up to 25
    incidents in a component, and in larger ones a lower bound: the score less the best others of both.

    References
    ----------
    .. [1] Crouse, D. F. (2016). On implementing 2D rectangular assignment algorithms. IEEE TAES 52(4).
    """
    police, books = register_of(incidents, name="incidents"), register_of(tickets, name="tickets")
    pairs = score_pairs(police, books)
    chosen = best_matches(pairs)
    margins = _margins(pairs, chosen)
    matches = pd.DataFrame(
        {
            "incident_id": police.ids[pairs["incident"].to_numpy()[chosen]],
            "ticket_id": books.ids[pairs["ticket"].to_numpy()[chosen]],
            **{name: pairs[name].to_numpy()[chosen] for name in _FACTS},
            "margin": margins,
            "is_clear": margins >= CLEAR_MARGIN,
        }
    )
    open_incidents = _left_over(pairs, matches["incident_id"], own=police, other=books, side="incident")
    open_tickets = _left_over(pairs, matches["ticket_id"], own=books, other=police, side="ticket")
    if apart is not None and len(apart) and len(open_incidents):
        open_incidents = _with_apart(open_incidents, incidents, apart)
    return Reconciliation(matches=matches, open_incidents=open_incidents, open_tickets=open_tickets)


def best_matches(pairs: pd.DataFrame) -> NDArray[np.int64]:
    """Return the positions of the pairs that are matched.

    Parameters
    ----------
    pairs : DataFrame
        Columns incident, ticket (whole numbers) and score, in order of incident and ticket.

    Returns
    -------
    ndarray of int64
        In ascending order: the one-to-one choice of pairs with a score above 0 whose total is greatest.
    """
    chosen = [np.empty(0, dtype=np.int64)]
    for edges in _components(pairs):
        if len(edges) == 1:
            chosen.append(edges)
            continue
        profit, positions = _table(pairs, edges)
        is_small = profit.shape[0] * profit.shape[1] <= _DENSE_CELLS
        chosen.append(_solve(profit, positions) if is_small else _solve_sparse(pairs, edges))
    return np.sort(np.concatenate(chosen))


def _components(pairs: pd.DataFrame) -> Iterator[NDArray[np.int64]]:
    """Positions of the positive pairs of each component, ordered."""
    positive = np.flatnonzero(pairs["score"].to_numpy() > 0)
    if len(positive) == 0:
        return
    rows = pairs["incident"].to_numpy()[positive]
    columns = pairs["ticket"].to_numpy()[positive] + rows.max() + 1
    nodes = int(columns.max()) + 1
    graph = coo_array((np.ones(len(positive)), (rows, columns)), shape=(nodes, nodes))
    _, labels = connected_components(graph, directed=False)
    of_edge = labels[rows]
    order = np.argsort(of_edge, kind="stable")
    yield from np.split(positive[order], np.flatnonzero(np.diff(of_edge[order])) + 1)


def _table(pairs: pd.DataFrame, edges: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Scores of a component as a table, 0 where nothing joins; and the position of each pair, -1 for none."""
    _, row = np.unique(pairs["incident"].to_numpy()[edges], return_inverse=True)
    _, column = np.unique(pairs["ticket"].to_numpy()[edges], return_inverse=True)
    profit = np.zeros((row.max() + 1, column.max() + 1))
    profit[row, column] = pairs["score"].to_numpy()[edges]
    positions = np.full(profit.shape, -1, dtype=np.int64)
    positions[row, column] = edges
    return profit, positions


def _solve(profit: NDArray[np.float64], positions: NDArray[np.int64]) -> NDArray[np.int64]:
    rows, columns = linear_sum_assignment(profit, maximize=True)
    found = positions[rows, columns]
    taken: NDArray[np.int64] = found[found >= 0]
    return taken


def _solve_sparse(pairs: pd.DataFrame, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Solve a large component; every incident has a column of its own that stands for staying alone."""
    _, row = np.unique(pairs["incident"].to_numpy()[edges], return_inverse=True)
    _, column = np.unique(pairs["ticket"].to_numpy()[edges], return_inverse=True)
    scores = pairs["score"].to_numpy()[edges]
    alone = np.arange(row.max() + 1)
    # Sparse matrices hold no zeros, so that every cost is raised by the same amount.
    top = scores.max() + 1
    costs = np.concatenate([top - scores, np.full(len(alone), top)])
    places = (np.concatenate([row, alone]), np.concatenate([column, column.max() + 1 + alone]))
    rows, columns = min_weight_full_bipartite_matching(csr_array((costs, places)))
    position = {(one, other): edge for one, other, edge in zip(row, column, edges, strict=True)}
    found = [position[key] for key in zip(rows, columns, strict=True) if key in position]
    return np.array(found, dtype=np.int64)


def _margins(pairs: pd.DataFrame, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much the greatest total falls when a match is forbidden, in the order of `chosen`."""
    scores = pairs["score"].to_numpy()
    margin = dict(zip(chosen.tolist(), scores[chosen].tolist(), strict=True))
    for edges in _components(pairs):
        if len(edges) == 1:
            continue
        matched = [edge for edge in edges.tolist() if edge in margin]
        profit, positions = _table(pairs, edges)
        if len(profit) > _EXACT_ROWS:
            margin |= _least_margins(profit, positions, matched)
            continue
        total = float(scores[matched].sum())
        for edge in matched:
            row, column = np.argwhere(positions == edge)[0]
            without = profit.copy()
            without[row, column] = 0
            rows, columns = linear_sum_assignment(without, maximize=True)
            margin[edge] = max(total - float(without[rows, columns].sum()), 0.0)
    return np.round([margin[edge] for edge in chosen.tolist()], 6).astype(np.float64)


def _least_margins(
    profit: NDArray[np.float64], positions: NDArray[np.int64], matched: list[int]
) -> dict[int, float]:
    """Bound the margins from below: without a match, its two sides cannot gain more than the best others."""
    margins = {}
    for edge in matched:
        row, column = np.argwhere(positions == edge)[0]
        other = np.delete(profit[row], column).max(initial=0) + np.delete(profit[:, column], row).max(
            initial=0
        )
        margins[edge] = max(float(profit[row, column] - other), 0.0)
    return margins


def _left_over(
    pairs: pd.DataFrame, matched: pd.Series[Any], *, own: Register, other: Register, side: str
) -> pd.DataFrame:
    """Everybody without a partner, with the best candidate and why it was not taken."""
    alone = own.ids[~np.isin(own.ids, matched.to_numpy())]
    partner = "ticket" if side == "incident" else "incident"
    ranked = pairs.sort_values([side, "score", partner], ascending=[True, False, True])
    best = ranked.drop_duplicates(side).set_index(side)
    found = pd.DataFrame(index=pd.Index(own.ids[best.index], name="id"))
    found["nearest_id"] = other.ids[best[partner].to_numpy()].astype(float)
    for name in _FACTS:
        found[name] = best[name].to_numpy()
    found["reason"] = _reasons(best)
    rows = found.reindex(alone)
    rows["reason"] = rows["reason"].where(rows["reason"].notna(), "none")
    return rows


def _reasons(best: pd.DataFrame) -> NDArray[np.object_]:
    """Name what speaks most against each pair; below one log unit nothing does, and chance is as good."""
    against = best[["off_place", "off_time", "unlike"]].to_numpy()
    names = np.array(["place", "time", "unlike"], dtype=object)
    if not len(against):
        return np.empty(0, dtype=object)
    most = np.where(against.max(axis=1) >= 1, names[against.argmax(axis=1)], "weak")
    reasons: NDArray[np.object_] = np.where(best["score"].to_numpy() > 0, "taken", most)
    return reasons


def _with_apart(
    open_incidents: pd.DataFrame, incidents: gpd.GeoDataFrame, apart: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Name the ticket booked as weather or fault that fits an open incident."""
    alone = register_of(incidents.loc[open_incidents.index], name="incidents")
    books = register_of(apart, name="tickets")
    pairs = score_pairs(alone, books)
    pairs = pairs[pairs["score"] > 0].sort_values(
        ["incident", "score", "ticket"], ascending=[True, False, True]
    )
    best = pairs.drop_duplicates("incident")
    ids = alone.ids[best["incident"].to_numpy()]
    filled = open_incidents.copy()
    filled.loc[ids, "nearest_id"] = books.ids[best["ticket"].to_numpy()].astype(float)
    for name in _FACTS:
        filled.loc[ids, name] = best[name].to_numpy()
    filled.loc[ids, "reason"] = "apart"
    return filled
